//! Access control covers every key of a command.

use super::support;
use support::{call, server, try_call};

#[test]
fn sources_of_a_merge_need_the_right_to_read() {
    let server = server();
    let mut redis = server.connection().unwrap();
    for key in ["mine", "mine2", "secret"] {
        call::<()>(&mut redis, &format!("CMS.INITBYDIM {key} 10 2"));
    }
    call::<()>(&mut redis, "ACL SETUSER ann on nopass ~mine* +@all");
    call::<()>(&mut redis, "AUTH ann x");
    call::<()>(&mut redis, "CMS.MERGE mine 1 mine2");
    for line in ["CMS.MERGE mine 1 secret", "CMS.MERGE mine 2 mine2 secret WEIGHTS 1 1", "CMS.MERGE secret 1 mine"] {
        let error = try_call::<()>(&mut redis, line).unwrap_err();
        assert!(error.contains("NOPERM"), "{line}: {error}");
    }
    let keys: Vec<String> = call(&mut redis, "COMMAND GETKEYS CMS.MERGE to 2 from1 from2 WEIGHTS 1 2");
    assert_eq!(keys, ["to", "from1", "from2"]);
}

#[test]
fn a_right_to_read_isnt_one_to_change_nor_the_other_way_round() {
    let server = server();
    let mut redis = server.connection().unwrap();
    call::<()>(&mut redis, "CMS.INITBYDIM k 10 2");
    call::<()>(&mut redis, "ACL SETUSER reader on nopass %R~* +@all");
    call::<()>(&mut redis, "ACL SETUSER writer on nopass %W~* +@all");
    for (user, line, allowed) in [
        ("reader", "CMS.QUERY k a", true),
        ("reader", "CMS.INFO k", true),
        ("reader", "CMS.INCRBY k a 1", false),
        ("reader", "CMS.MERGE k 1 k", false),
        ("reader", "CMS.INITBYDIM new 10 2", false),
        ("writer", "CMS.QUERY k a", false),
        ("writer", "CMS.INCRBY k a 1", false), // it replies with the count
        ("writer", "CMS.MERGE k 1 k", false),
        ("writer", "CMS.INITBYDIM new 10 2", true),
    ] {
        call::<()>(&mut redis, &format!("AUTH {user} x"));
        let result = try_call::<redis::Value>(&mut redis, line);
        assert_eq!(result.is_ok(), allowed, "{user}: {line}: {result:?}");
    }
}
