//! Nodes for which workers write down what comes.

use super::*;

/// The first writes down for the second, whose outputs go to a sink.
fn spilling(second: &Json) -> Json {
    let mut hold = json!({ "hold": "spill" });
    for (name, value) in second.as_object().expect("properties") {
        hold[name] = value.clone();
    }
    plan(&[node(&[0], -1), node_with(&[1], 0, &hold)], &[&[sink(1)]])
}

fn data(item: &Item) -> Json {
    serde_json::from_slice(&item.text).expect("JSON")
}

/// So many extents of this partition, of a byte and a record each.
fn extents(partition: u32, count: u64) -> String {
    let parts: Vec<[u64; 4]> = (0..count).map(|at| [partition.into(), at, 1, 1]).collect();
    format!("$2\t{}", json!({ "file": "1-1", "parts": parts }))
}

#[test]
fn each_partition_is_an_event_once_nothing_more_comes() {
    let (bench, [mut seat]) = of_flow(&spilling(&json!({})));
    bench.map([1, 2]);
    let told = r#"$2	{"file":"1-9","parts":[[3,0,10,2],[5,10,7,1],[6,17,0,0]]}"#;
    seat.does(&bench, ("1", 1), outputs(told));
    let told = r#"$2	{"file":"2-9","parts":[[3,0,4,1]]}"#;
    seat.does(&bench, ("2", 1), outputs(told));
    assert_eq!(seat.sees(), None);
    assert!(!bench.pool.drained(bench.run));
    let item = seat.player.start();
    assert_eq!(
        (data(&item), number_of(&item)),
        (json!({ "p": 3, "x": [["1-9", 0, 10], ["2-9", 0, 4]] }), 2)
    );
    // It goes on in another event, and what fails in a group is tried by nobody.
    seat.player
        .answer(&item, outputs("%1\n#{\"p\":3,\"from\":7}\n!2\t{}\t[\"redo\"]\t{\"key\":1}"));
    bench.pool.flush();
    seat.does(&bench, (r#"{"p":5,"x":[["1-9",10,7]]}"#, 2), Outcome::failed("{}"));
    seat.does(&bench, (r#"{"p":3,"from":7}"#, 2), outputs("%2"));
    assert_eq!(bench.sunk(), [(1, json!(1)), (1, json!(2))]);
    let entries = bench.take(Queue::Failures);
    let has_data: Vec<bool> = entries.iter().map(|it| it.kind & entry::DATA != 0).collect();
    assert_eq!(has_data, [true, false], "a partition is nobody's data");
    assert_eq!(entries[0].data, json!({ "key": 1 }));
    assert!(bench.is_done());
}

#[test]
fn an_item_that_was_not_written_down_is_tried_again_by_itself() {
    let (bench, [mut seat]) = of_flow(&spilling(&again(1, 0.0)));
    bench.map([1]);
    seat.does(&bench, ("1", 1), outputs("!2\t{}\t{\"side\":0}\t7"));
    assert!(!bench.pool.drained(bench.run));
    seat.does(&bench, ("{\"side\":0}", 2), outputs(r#"$2	{"file":"1-9","parts":[[0,0,1,1]]}"#));
    seat.does(&bench, (r#"{"p":0,"x":[["1-9",0,1]]}"#, 2), outputs("%1"));
    assert_eq!(bench.sunk(), [(1, json!(1))]);
    assert!(bench.is_done());
}

#[test]
fn many_extents_are_merged_before_they_are_read() {
    let (bench, [mut seat]) = of_flow(&spilling(&json!({})));
    bench.map([1]);
    seat.does(&bench, ("1", 1), outputs(&format!("{}\n{}", extents(1, 600), extents(2, 256))));
    assert!(!bench.pool.drained(bench.run));
    let mut merges = 0;
    let rest = loop {
        let item = seat.player.start();
        let told = data(&item);
        let list = told["x"].as_array().expect("a list");
        assert!(list.len() <= 256);
        if told["c"] != true {
            break item;
        }
        assert_eq!((&told["p"], list.len()), (&json!(1), 128));
        merges += 1;
        let answer = format!("$2\t{}", json!({ "file": "1-2", "parts": [[1, merges, 128, 128]] }));
        seat.player.answer(&item, outputs(&answer));
        bench.pool.flush();
    };
    // 600 by 3 times 128 are 219.
    assert_eq!((merges, data(&rest)["x"].as_array().expect("a list").len()), (3, 219));
    seat.player.answer(&rest, outputs(""));
    bench.pool.flush();
    let item = seat.player.start();
    assert_eq!(
        (&data(&item)["p"], data(&item)["x"].as_array().map(Vec::len)),
        (&json!(2), Some(256))
    );
    seat.player.answer(&item, outputs(""));
    bench.pool.flush();
    assert!(bench.is_done());
}

#[test]
fn a_merge_that_fails_is_repeated_and_fails_the_run_in_the_end() {
    let is_merge = |item: &Item| data(item)["c"] == true;
    let wrong: [&[u8]; 7] = [
        b"",
        b"%1",
        b"#{\"p\":1}",
        b"$2\t{\"file\":\"f\",\"parts\":[]}",
        b"$2\t{\"file\":\"f\",\"parts\":[[7,0,1,1]]}",
        b"$2\t{\"file\":\"f\",\"parts\":[[1,0,1,0]]}",
        b"$2\t{\"file\":\"f\",\"parts\":[[1,0,1,1]]}\n%1",
    ];
    for answer in wrong {
        let (bench, [mut seat]) = of_flow(&spilling(&json!({})));
        bench.map([1]);
        seat.does(&bench, ("1", 1), outputs(&extents(1, 257)));
        let mut lists = Vec::new();
        for attempt in 0..4 {
            let item = seat.player.start();
            assert!(is_merge(&item), "{attempt}");
            lists.push(data(&item)["x"].clone());
            seat.player.answer(&item, outputs(answer));
            bench.pool.flush();
        }
        assert!(lists.iter().all(|list| *list == lists[0]), "nothing is lost");
        assert!(bench.failures().is_empty(), "no event of the program's has failed");
        assert!(!bench.pool.drained(bench.run));
        let item = seat.player.start();
        seat.player.answer(&item, Outcome::failed(r#"{"name":"Error","message":"no","code":"X"}"#));
        bench.pool.flush();
        let failed = |note: &Note| matches!(note, Note::Failed { run: Some(_), message, .. } if message == "no");
        assert!(bench.hear().iter().any(failed));
        assert!(bench.is_done());
    }
    // One that is killed loses nothing either.
    let (bench, [mut seat]) = of_flow(&spilling(&json!({})));
    bench.map([1]);
    seat.does(&bench, ("1", 1), outputs(&extents(1, 257)));
    assert!(is_merge(&seat.player.start()));
    let mut seat = replace(&bench, 0, seat);
    let item = seat.player.start();
    assert_eq!((is_merge(&item), data(&item)["x"].as_array().map(Vec::len)), (true, Some(128)));
    seat.player.answer(&item, outputs("$2\t{\"file\":\"f\",\"parts\":[[1,0,1,1]]}"));
    bench.pool.flush();
    assert!(!bench.pool.drained(bench.run));
    let item = seat.player.start();
    assert_eq!((is_merge(&item), data(&item)["x"].as_array().map(Vec::len)), (false, Some(130)));
    seat.player.answer(&item, outputs("%1"));
    bench.pool.flush();
    assert!(bench.is_done());
}

#[test]
fn a_run_that_stops_between_leaves_no_merge_behind() {
    let (bench, [mut seat]) = of_flow(&spilling(&again(3, 0.0)));
    bench.map([1, 2]);
    seat.does(&bench, ("1", 1), outputs(&extents(1, 600)));
    let item = seat.player.start();
    bench.pool.stop(bench.run);
    seat.player.answer(&item, Outcome::failed("{}"));
    bench.pool.flush();
    assert!(bench.is_done());
}
