//! The name of every metric that a worker exports. What each of them is, its kind and its labels, stands in
//! [`super::table`]. Units are Prometheus' base units; counters end in `_total`.

/// Fingerprints that got a score.
pub const SCORED: &str = "eddyline_fingerprints_scored_total";
/// Fingerprints that weren't judged, by `reason`: `unreadable`, `partial`, `excluded`.
pub const NOT_JUDGED: &str = "eddyline_fingerprints_not_judged_total";
/// Windows that were trimmed from their stream before they were read.
pub const MISSED: &str = "eddyline_windows_missed_total";
/// Windows that would have alerted but for a control, by `reason`.
pub const HELD_BACK: &str = "eddyline_windows_held_back_total";
/// From the end of a window to its score in Redis, in seconds (histogram).
pub const LAG: &str = "eddyline_lag_seconds";
/// Judging one window (histogram).
pub const SCORING: &str = "eddyline_scoring_seconds";
/// Learning one window, fits included (histogram).
pub const LEARNING: &str = "eddyline_learning_seconds";
/// Messages about incidents, by `event` and `severity`.
pub const ALERTS: &str = "eddyline_alerts_total";
/// Messages about incidents that their stream didn't take.
pub const UNSAID: &str = "eddyline_alerts_unsaid_total";
/// Incidents that are open on this worker's monitors (gauge).
pub const OPEN: &str = "eddyline_incidents_open";
/// Monitors by `state`: `starting`, `warming`, `ready`, `degraded`, `elsewhere` (gauge).
pub const MONITORS: &str = "eddyline_monitors";
/// Monitors that this worker leaves out because there are more than it may have (gauge).
pub const LEFT_OUT: &str = "eddyline_monitors_left_out";
/// Checkpoints by `outcome`: `written`, `resumed`, `refused`.
pub const CHECKPOINTS: &str = "eddyline_checkpoints_total";
/// Leases by `change`: `taken`, `lost`, `released`.
pub const LEASES: &str = "eddyline_leases_total";
/// Whether there is a connection to Redis (gauge, 0 or 1).
pub const CONNECTED: &str = "eddyline_redis_connected";
/// Connections that were lost.
pub const DISCONNECTS: &str = "eddyline_redis_disconnects_total";
/// Replies that were errors, by `code` (the first word).
pub const REDIS_ERRORS: &str = "eddyline_redis_errors_total";
/// Notifications made, by `event`.
pub const NOTIFICATIONS: &str = "eddyline_notifications_total";
/// Incidents that weren't told when they opened, by `reason`: `budget`.
pub const NOT_NOTIFIED: &str = "eddyline_incidents_not_notified_total";
/// Deliveries by `sink` and `outcome`: `delivered`, `retried`, `dead`, `left_out`, `panicked`.
pub const DELIVERIES: &str = "eddyline_deliveries_total";
/// One delivery, in seconds, by `sink` (histogram).
pub const DELIVERY: &str = "eddyline_delivery_seconds";
/// Notifications that wait for a sink (gauge), by `sink`.
pub const WAITING: &str = "eddyline_deliveries_waiting";
/// Models that failed to fit or took too long, by `reason`.
pub const DEGRADED: &str = "eddyline_model_failures_total";
/// Reloads of the settings by `outcome`: `applied`, `refused`.
pub const RELOADS: &str = "eddyline_config_reloads_total";
/// Whether the last reload of the settings was applied (gauge, 0 or 1).
pub const RELOADED: &str = "eddyline_config_last_reload_successful";
/// When settings were last applied, in seconds since the epoch (gauge).
pub const RELOADED_AT: &str = "eddyline_config_last_reload_success_timestamp_seconds";
/// 1, with the `version` of this program (gauge).
pub const BUILD: &str = "eddyline_build_info";
/// Memory that the process holds, in bytes (gauge).
pub const MEMORY: &str = "process_resident_memory_bytes";
/// Time of all processors that the process has used, in seconds.
pub const CPU: &str = "process_cpu_seconds_total";
/// When the process was started, in seconds since the epoch (gauge).
pub const STARTED: &str = "process_start_time_seconds";
/// Requests to the gateway, by the class of their `status`.
pub const HTTP_REQUESTS: &str = "eddyline_http_requests_total";
/// From the head of a request to the head of its answer, in seconds (histogram).
pub const HTTP_TIME: &str = "eddyline_http_request_seconds";
/// Items of requests to the gateway, by `outcome`: `accepted`, `rejected`.
pub const HTTP_ITEMS: &str = "eddyline_http_items_total";
/// Samples of metrics that became part of no vector, by `reason`: `late`, `feature`, `series`, `instance`.
pub const HTTP_LEFT_OUT: &str = "eddyline_http_samples_left_out_total";
/// Entries of streams that this worker counted in place of the module.
pub const ENTRIES: &str = "eddyline_entries_counted_total";
/// Of those, entries that counted nothing, by `reason`: `late`, `out-of-time`, `skipped`, `trimmed`.
pub const ENTRIES_LEFT_OUT: &str = "eddyline_entries_left_out_total";
