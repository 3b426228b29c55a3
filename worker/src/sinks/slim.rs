//! Receivers of our JSON have limits: a request that is too large is refused as a whole, and nobody hears of the storm.

use eddyline_wire::alert::Alert;
use eddyline_wire::notification::Notification;

/// Largest JSON that is sent, in bytes: what the strictest of the usual event buses and proxies take.
const LARGEST: usize = 256 * 1024;

/// The JSON of `notification`, with as many of its incidents, worst first, as fit; their number stays.
pub(super) fn json(notification: &Notification) -> String {
    let text = notification.to_json();
    if text.len() <= LARGEST {
        return text;
    }
    let mut slim = Notification { alerts: Vec::new(), ..notification.clone() };
    let mut room = LARGEST.saturating_sub(slim.to_json().len());
    let fits = |alert: &&Alert| {
        let size = alert.to_json().len() + 1;
        let fits = size <= room;
        room = room.saturating_sub(size);
        fits
    };
    slim.alerts = notification.alerts.iter().take_while(fits).cloned().collect();
    slim.to_json()
}

#[cfg(test)]
mod tests {
    use super::{LARGEST, json};
    use eddyline_wire::notification::Notification;

    #[test]
    fn what_is_too_large_loses_its_mildest_incidents() {
        let sample = include_str!("../../fixtures/sinks/notification.json");
        let mut notification: Notification = serde_json::from_str(sample).unwrap();
        assert_eq!(json(&notification), sample.trim());
        notification.alerts[0].summary = "x".repeat(10_000);
        notification.alerts = vec![notification.alerts[0].clone(); 50];
        notification.incidents = 200;
        let text = json(&notification);
        let slim: Notification = serde_json::from_str(&text).unwrap();
        assert!((LARGEST - 12_000..=LARGEST).contains(&text.len()), "{}", text.len());
        assert_eq!((slim.alerts.len(), slim.incidents, slim.more()), (24, 200, 176));
        notification.alerts[0].summary = "x".repeat(LARGEST);
        assert_eq!(serde_json::from_str::<Notification>(&json(&notification)).unwrap().alerts, []);
    }
}
