//! `…/top`, `…/count` and `…/quantiles`: what is known of single items and measures.

use super::Reading;
use super::asked::{Asked, Monitor, invalid};
use super::counts;
use crate::gateway::errors::{ErrorBody, Problem};
use axum::Json;
use axum::extract::State;
use eddyline_wire::keys::MAX_NAME;
use eddyline_wire::text::utf8;
use serde::{Deserialize, Serialize};
use std::cmp::Reverse;
use std::collections::BTreeMap;
use utoipa::{IntoParams, ToSchema};

/// Items that can be asked for at once, and quantiles.
const MOST_ITEMS: usize = 100;
const MOST_QUANTILES: usize = 20;
/// Heaviest items that a window knows.
const MOST_TOP: usize = 32;

/// An item.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct Item {
    /// Its text; joint ones as in `pay*500`.
    item: String,
    /// How often it was counted in the open window.
    open: u64,
    /// In the window that closed last.
    last: u64,
    /// In a window, in the long run; null for the hash of an item, of which only the heaviest are known.
    usual: Option<f64>,
}

/// Items of a dimension.
#[derive(Debug, Serialize, ToSchema)]
pub struct Items {
    /// The dimension, or a cross such as `service*status`.
    dimension: String,
    /// The items.
    items: Vec<Item>,
}

/// Which items.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct TopOf {
    /// A dimension, or a cross such as `service*status`.
    dimension: String,
    /// Most items of the answer.
    #[param(minimum = 1, maximum = 32, default = 10)]
    k: Option<usize>,
}

/// The heaviest items of the open window and of the last one, against what is usual. Heaviest in the last window first.
#[utoipa::path(
    get, path = "/v1/monitors/{name}/top", tag = "items",
    params(("name" = String, Path, description = "The monitor's name", min_length = 1, max_length = 1024, example = "checkout"), TopOf),
    responses(
        (status = 200, body = Items), (status = 400, body = ErrorBody), (status = 404, body = ErrorBody),
        (status = 409, body = ErrorBody, description = "It still learns its fields"), (status = 503, body = ErrorBody),
    ),
)]
pub(super) async fn top(
    State(reading): State<Reading>,
    Monitor(keys): Monitor,
    Asked(TopOf { dimension, k }): Asked<TopOf>,
) -> Result<Json<Items>, Problem> {
    let dimension = named("dimension", dimension)?;
    let k = k.unwrap_or(10);
    if !(1..=MOST_TOP).contains(&k) {
        return Err(invalid("k", "a whole number from 1 to 32"));
    }
    let mut connection = reading.connection()?;
    let (open, last) = counts::top(&mut connection, &keys, &dimension, k).await?;
    let mut counts: BTreeMap<Vec<u8>, (u64, u64)> = BTreeMap::new();
    open.into_iter().for_each(|(item, count)| counts.entry(item).or_default().0 = count);
    last.into_iter().for_each(|(item, count)| counts.entry(item).or_default().1 = count);
    let names: Vec<Vec<u8>> = counts.keys().cloned().collect();
    let mut items = told(&mut connection, &keys, &dimension, &names).await?;
    for (item, (open, last)) in items.iter_mut().zip(counts.into_values()) {
        // A sketch never counts too few: this one doesn't know the item by this name, which is its hash.
        if item.open < open || item.last < last {
            (item.open, item.last, item.usual) = (open, last, None);
        }
    }
    items.sort_by_key(|item| Reverse((item.last, item.open)));
    items.truncate(k);
    Ok(Json(Items { dimension, items }))
}

async fn told(
    connection: &mut crate::store::connect::Connection,
    keys: &eddyline_wire::keys::Companions,
    dimension: &str,
    names: &[Vec<u8>],
) -> Result<Vec<Item>, Problem> {
    let estimates = counts::estimates(connection, keys, dimension, names).await?;
    let item = |(name, (open, last, usual)): (&Vec<u8>, counts::Estimate)| Item {
        item: utf8(name, MAX_NAME),
        open,
        last,
        usual: Some(if usual.is_finite() { usual } else { 0.0 }),
    };
    Ok(names.iter().zip(estimates).map(item).collect())
}

/// How often these items were counted: `?dimension=service&item=pay&item=cart`.
#[utoipa::path(
    get, path = "/v1/monitors/{name}/count", tag = "items",
    params(
        ("name" = String, Path, description = "The monitor's name", min_length = 1, max_length = 1024, example = "checkout"),
        ("dimension" = String, Query, description = "A dimension, or a cross such as `service*status`"),
        ("item" = Vec<String>, Query, description = "1 to 100 items"),
    ),
    responses(
        (status = 200, body = Items), (status = 400, body = ErrorBody), (status = 404, body = ErrorBody),
        (status = 409, body = ErrorBody, description = "It still learns its fields"), (status = 503, body = ErrorBody),
    ),
)]
pub(super) async fn count(
    State(reading): State<Reading>,
    Monitor(keys): Monitor,
    Asked(pairs): Asked<Vec<(String, String)>>,
) -> Result<Json<Items>, Problem> {
    let (dimension, items) = counted_items(pairs)?;
    let mut connection = reading.connection()?;
    let items = told(&mut connection, &keys, &dimension, &items).await?;
    Ok(Json(Items { dimension, items }))
}

fn counted_items(pairs: Vec<(String, String)>) -> Result<(String, Vec<Vec<u8>>), Problem> {
    let (mut dimension, mut items) = (None, Vec::new());
    for (name, value) in pairs {
        match name.as_str() {
            "dimension" if dimension.is_none() => dimension = Some(named("dimension", value)?),
            "dimension" => return Err(invalid("dimension", "one, not several")),
            "item" if value.len() <= MAX_NAME => items.push(value.into_bytes()),
            "item" => return Err(invalid("item", "at most 1024 bytes")),
            _ => return Err(invalid("the query", "there is 'dimension' and, 1 to 100 times, 'item'")),
        }
    }
    let dimension = dimension.ok_or_else(|| invalid("dimension", "it is missing"))?;
    if items.is_empty() || items.len() > MOST_ITEMS {
        return Err(invalid("item", "1 to 100 items"));
    }
    Ok((dimension, items))
}

/// Which quantiles.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct QuantilesOf {
    /// A measure.
    measure: String,
    /// Ranks from 0 to 1, separated by commas, at most 20.
    #[param(default = "0.5,0.95,0.99")]
    q: Option<String>,
}

/// A quantile.
#[derive(Debug, Serialize, ToSchema)]
pub struct Quantile {
    /// Its rank.
    q: f64,
    /// Its value, within 1 %; null where the window had none.
    value: Option<f64>,
}

/// Quantiles of a measure.
#[derive(Debug, Serialize, ToSchema)]
pub struct Quantiles {
    measure: String,
    quantiles: Vec<Quantile>,
}

/// Quantiles of a measure in the window that closed last.
#[utoipa::path(
    get, path = "/v1/monitors/{name}/quantiles", tag = "items",
    params(("name" = String, Path, description = "The monitor's name", min_length = 1, max_length = 1024, example = "checkout"), QuantilesOf),
    responses(
        (status = 200, body = Quantiles), (status = 400, body = ErrorBody), (status = 404, body = ErrorBody),
        (status = 409, body = ErrorBody, description = "It still learns its fields"), (status = 503, body = ErrorBody),
    ),
)]
pub(super) async fn quantiles(
    State(reading): State<Reading>,
    Monitor(keys): Monitor,
    Asked(QuantilesOf { measure, q }): Asked<QuantilesOf>,
) -> Result<Json<Quantiles>, Problem> {
    let measure = named("measure", measure)?;
    let ranks = ranks(q.as_deref().unwrap_or("0.5,0.95,0.99"))?;
    let mut connection = reading.connection()?;
    let values = counts::quantiles(&mut connection, &keys, &measure, &ranks).await?;
    let quantile = |(&q, value): (&f64, Option<f64>)| Quantile { q, value: value.filter(|value| value.is_finite()) };
    Ok(Json(Quantiles { measure, quantiles: ranks.iter().zip(values).map(quantile).collect() }))
}

fn ranks(text: &str) -> Result<Vec<f64>, Problem> {
    let allowed = || invalid("q", "1 to 20 numbers from 0 to 1 separated by commas, such as 0.5,0.99");
    let rank = |text: &str| text.trim().parse().ok().filter(|rank| (0.0..=1.0).contains(rank)).ok_or_else(allowed);
    if text.len() > 1024 || text.split(',').count() > MOST_QUANTILES {
        return Err(allowed());
    }
    text.split(',').map(rank).collect()
}

fn named(what: &str, name: String) -> Result<String, Problem> {
    let fits = (1..=MAX_NAME).contains(&name.len());
    if fits { Ok(name) } else { Err(invalid(what, "a name of 1 to 1024 bytes")) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_asked_is_checked() {
        assert_eq!(ranks(" 0.5, 1,0").unwrap(), [0.5, 1.0, 0.0]);
        for bad in ["", "99", "NaN", "0.5,", "-0.1", &"0.5,".repeat(20)] {
            assert!(ranks(bad).is_err(), "{bad}");
        }
        let pairs = |pairs: &[(&str, &str)]| {
            counted_items(pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect())
        };
        let (dimension, items) = pairs(&[("item", "pay"), ("dimension", "service"), ("item", "")]).unwrap();
        assert_eq!((dimension.as_str(), items), ("service", vec![b"pay".to_vec(), Vec::new()]));
        for bad in [&[("item", "pay")][..], &[("dimension", "service")], &[("dimension", ""), ("item", "pay")]] {
            assert!(pairs(bad).is_err(), "{bad:?}");
        }
        assert!(pairs(&[("dimension", "a"), ("dimension", "b"), ("item", "pay")]).is_err());
        assert!(pairs(&[("dimension", "a"), ("item", "pay"), ("items", "pay")]).is_err());
        assert!(pairs(&[&[("dimension", "a")][..], &[("item", "x"); 101]].concat()).is_err());
    }
}
