//! Workers whose answers make no sense: they cost the event that was answered, and nothing else.

use proptest::collection::vec;
use proptest::prelude::*;

use super::*;

/// Two nodes in one event, one that is written down, and an end.
fn some() -> Json {
    let mut plan = plan(
        &[
            node(&[0], -1),
            node(&[1], 0),
            node_with(&[1], 1, &json!({ "hold": "spill" })),
            node(&[2, 3], 2),
            node_with(&[2], 2, &json!({ "hold": "master" })),
        ],
        &[&[to(4), to(5)], &[to(4)], &[sink(1)]],
    );
    plan["nodes"][0]["ports"][0]["next"] = json!(2);
    plan
}

const TOLD: &str = r#"{"file":"1-1","parts":[[0,0,1,1]]}"#;

/// Lets everything that is left end with nothing; true if that works and nothing is left.
fn ends(bench: &Bench, seat: &mut Seat) -> bool {
    let mut rounds = 0;
    while !bench.pool.drained(bench.run) && bench.outstanding() > 0 {
        rounds += 1;
        assert!(rounds < 10_000, "it does not end");
        if let Some(item) = seat.player.look() {
            seat.player.answer(&item, outputs(""));
            bench.pool.flush();
        }
        for note in bench.hear() {
            if let Note::Reduce { number, .. } = note {
                bench.pool.reduced(bench.run, number, Err(b"{}".to_vec()));
            }
        }
    }
    bench.is_done()
}

#[test]
fn what_an_event_cannot_have_made_costs_that_event_alone() {
    let wrong: [&str; 22] = [
        "&1",
        "'1",
        "(1",
        "~1",
        "\u{7f}1",
        "%1\n&1",
        "!3x\t{}\t\t1",
        "!4\t{}\t\t1",
        "!5\t{}\t\t1",
        "!6\t{}\t\t1",
        "!0\t{}\t\t1",
        "!64\t{}\t\t1",
        "!18446744073709551615\t{}\t\t1",
        "!99999999999999999999999\t{}\t\t1",
        "!2\t\t\t1",
        "#",
        "#{\"p\":1}",
        "$2\t{\"file\":\"1\",\"parts\":[]}",
        "$9\t{\"file\":\"1\",\"parts\":[]}",
        "$3\t{\"file\":\"1\",\"parts\":[[0,-1,1,1]]}",
        "$3\t{\"file\":\"1\",\"parts\":[[4294967296,0,1,1]]}",
        "$3\tnull",
    ];
    for text in wrong {
        let (bench, [mut seat]) = of_flow(&some());
        bench.map([7, 8]);
        let item = seat.player.start();
        seat.player.worker.write(&Header::new(Kind::Emit, 0), b"9");
        seat.player.worker.write(&Header::new(Kind::Count, 0), b"{\"n\":1}");
        seat.player.answer(&item, outputs(&format!("%1\n{text}")));
        bench.pool.flush();
        let failures = bench.take(Queue::Failures);
        assert_eq!(failures.len(), 1, "{text}");
        assert_eq!(
            (&failures[0].data, &failures[0].response["code"]),
            (&json!(7), &json!("ERR_SONIC_PROTOCOL"))
        );
        seat.does(&bench, ("8", 1), outputs(""));
        assert_eq!(seat.sees(), None, "nothing of {text} counts, and not what it emitted");
        assert!(ends(&bench, &mut seat), "{text}");
    }
}

#[test]
fn an_answer_that_is_cut_anywhere_costs_that_event_alone_or_is_a_shorter_one() {
    let text = format!("%1\n%\"ab\"\n!2\t{{}}\t\t7\n$3\t{TOLD}\n!3\t{{}}\t[]\t1");
    let all = [
        record(b'%', 0, b"1"),
        record(b'%', 3, b"\n\xff"),
        record(b'!', 2, b"2\t{}\t\t\x01"),
        record(b'$', 0, format!("3\t{TOLD}").as_bytes()),
    ]
    .concat();
    let (bench, [mut seat]) = of_flow(&some());
    let mut ended = 0;
    for (bytes, outcome) in [(text.as_bytes(), outputs as fn(&[u8]) -> Outcome<'_>), (&all, framed)]
    {
        for end in 0..=bytes.len() {
            bench.map([1]);
            loop {
                let item = seat.player.start();
                let is_first = number_of(&item) <= 1;
                seat.player
                    .answer(&item, if is_first { outcome(&bytes[..end]) } else { outputs("") });
                bench.pool.flush();
                if is_first {
                    break;
                }
            }
            ended += 1;
        }
    }
    assert!(ended > 100 && seat.player.look().is_some());
    assert_eq!(bench.said(0), None, "it broke no rule of the ring");
}

fn number() -> impl Strategy<Value = u64> {
    prop_oneof![0..8_u64, 60..130_u64, any::<u64>()]
}

/// A record, more or less.
fn any_record() -> impl Strategy<Value = Vec<u8>> {
    let text = prop_oneof![Just(String::new()), Just("1".into()), Just("{}".into()), ".{0,8}"];
    let out =
        (0x20..0x80_u8, text.clone()).prop_map(|(what, text)| [&[what], text.as_bytes()].concat());
    let failed = (number(), text.clone(), text.clone(), text.clone()).prop_map(
        |(node, error, redo, data)| format!("!{node}\t{error}\t{redo}\t{data}").into_bytes(),
    );
    let told = vec((any::<u32>(), number(), number(), number()), 0..4).prop_map(|parts| {
        let parts: Vec<_> =
            parts.into_iter().map(|(p, at, len, count)| json!([p, at, len, count])).collect();
        json!({ "file": "1-1", "parts": parts }).to_string()
    });
    let told = prop_oneof![told, Just(TOLD.to_owned()), text.clone()];
    let spilled = (number(), told).prop_map(|(node, told)| format!("${node}\t{told}").into_bytes());
    let further = text.prop_map(|text| format!("#{text}").into_bytes());
    prop_oneof![4 => out, 3 => failed, 2 => spilled, 1 => further, 1 => vec(any::<u8>(), 0..12)]
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(60) })]

    #[test]
    fn whatever_workers_answer_the_run_comes_to_its_end(
        answers in vec((vec(any_record(), 0..4), any::<bool>(), 0..4_u8, any::<u32>()), 1..30),
        retries in any::<bool>(),
    ) {
        let mut plan = some();
        if retries {
            for node in plan["nodes"].as_array_mut().expect("nodes") {
                node["retries"] = again(1, 0.0)["retries"].clone();
            }
        }
        let (bench, [mut seat]) = of_flow(&plan);
        bench.map(0..5);
        for (records, is_framed, emits, flags) in answers {
            let Some(item) = seat.player.look() else { continue };
            for _ in 0..emits {
                seat.player.worker.write(&Header::new(Kind::Emit, flags & !255), b"0");
            }
            let bytes = if is_framed {
                let framed = records.iter().filter_map(|it| it.split_first());
                framed.map(|(&what, rest)| record(what, flags as u8 & 7, rest)).collect::<Vec<_>>().concat()
            } else {
                records.join(&b'\n')
            };
            let outcome = if is_framed { framed(&bytes) } else { outputs(&bytes) };
            seat.player.answer(&item, outcome);
            bench.pool.flush();
        }
        bench.pool.count(bench.run, Queue::Results);
        prop_assert!(ends(&bench, &mut seat));
    }
}
