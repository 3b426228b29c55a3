//! The fixtures that the SDKs read too: what changes here fails there, and the other way round. `alert.json` and
//! `schema.json` are held where their shapes are.

use crate::command::count::Count;
use crate::command::create::Create;
use crate::command::fingerprint::FingerprintOf;
use crate::command::mobserve::Mobserve;
use crate::command::observe::Observe;
use crate::command::quantile::Quantile;
use crate::command::table::COMMANDS;
use crate::command::top::TopOf;
use crate::command::{Arguments, CommandError};
use crate::keys::{ALERTS, CLOSED, Companions, service};
use serde_json::Value;

fn fixture(text: &str) -> Value {
    serde_json::from_str(text).unwrap()
}

fn words(list: &Value) -> Vec<&str> {
    list.as_array().unwrap().iter().map(|word| word.as_str().unwrap()).collect()
}

#[test]
fn keys_have_their_golden_names() {
    let golden = fixture(include_str!("../fixtures/keys.json"));
    assert_eq!([&golden["alerts"], &golden["closed"], &golden["audit"]], [ALERTS, CLOSED, service::AUDIT]);
    for names in golden["companions"].as_array().unwrap() {
        let keys = Companions::of(names["monitor"].as_str().unwrap().as_bytes()).unwrap();
        let built = [
            ("fingerprints", keys.fingerprints()),
            ("schemas", keys.schemas()),
            ("scores", keys.scores()),
            ("incidents", keys.incidents()),
            ("settings", keys.settings()),
            ("alerts", keys.alerts()),
        ];
        for (name, key) in built {
            assert_eq!(names[name].as_str().unwrap().as_bytes(), key, "{name}");
        }
    }
    for name in words(&golden["refused"]) {
        assert!(Companions::of(name.as_bytes()).is_err(), "{name}");
    }
}

#[test]
fn commands_have_their_golden_grammar() {
    let golden = fixture(include_str!("../fixtures/commands.json"));
    for entry in golden.as_array().unwrap() {
        let name = entry["command"].as_str().unwrap();
        let command = COMMANDS.iter().find(|command| command.name == name).unwrap();
        assert_eq!(entry["arguments"], command.arguments, "{name}");
        for sample in entry["samples"].as_array().unwrap() {
            let words: Vec<&[u8]> = words(sample).into_iter().map(str::as_bytes).collect();
            assert_eq!(parsed(name, &words), Ok(()), "{name} {sample}");
        }
    }
}

fn parsed(name: &str, words: &[&[u8]]) -> Result<(), CommandError> {
    match name {
        "EDDY.CREATE" => Create::parse(words).map(drop),
        "EDDY.OBSERVE" => Observe::parse(words).map(drop),
        "EDDY.MOBSERVE" => Mobserve::parse(words).map(drop),
        "EDDY.COUNT" => Count::parse(words).map(drop),
        "EDDY.TOP" => TopOf::parse(words).map(drop),
        "EDDY.QUANTILE" => Quantile::parse(words).map(drop),
        "EDDY.FINGERPRINT" => FingerprintOf::parse(words).map(drop),
        "EDDY.INFO" => {
            let mut args = Arguments::new("eddy.info", words);
            args.required().and_then(|_| args.end())
        }
        _ => panic!("{name} has no parser here"),
    }
}
