//! Renderings of the invented records, compared with what was reviewed; and what must hold for any record.

use insta::assert_snapshot;

use super::*;
use crate::sample;

fn plain(width: usize, verbose: bool) -> Style {
    Style { color: false, width, verbose }
}

#[test]
fn terminal() {
    let style = plain(100, false);
    assert_snapshot!("terminal_passed", terminal::render(&sample::sample_record(), &style));
    assert_snapshot!("terminal_failed", terminal::render(&sample::failed_async(), &style));
    assert_snapshot!("terminal_failed_verbose_80", terminal::render(&sample::failed_async(), &plain(80, true)));
    assert_snapshot!("terminal_inconclusive", terminal::render(&sample::inconclusive(), &style));
    assert_snapshot!("terminal_could_not_run", terminal::render(&sample::could_not_run(), &style));
    assert_snapshot!("terminal_control", terminal::render(&sample::control(), &style));
    assert_snapshot!("terminal_simulated", terminal::render(&sample::simulated(), &plain(80, false)));
    assert_snapshot!("terminal_never_recovered", terminal::render(&sample::never_recovered(), &style));
}

#[test]
fn markdown() {
    assert_snapshot!("markdown_failed", markdown::render(&sample::failed_async()));
    assert_snapshot!("markdown_could_not_run", markdown::render(&sample::could_not_run()));
    assert_snapshot!("markdown_simulated", markdown::render(&sample::simulated()));
}

#[test]
fn json() {
    assert_snapshot!("json_failed", json::render(&sample::failed_async()));
}

#[test]
fn junit() {
    assert_snapshot!("junit_failed", junit::render(&sample::failed_async()));
    assert_snapshot!("junit_inconclusive", junit::render(&sample::inconclusive()));
    assert_snapshot!("junit_could_not_run", junit::render(&sample::could_not_run()));
    assert_snapshot!("junit_simulated", junit::render(&sample::simulated()));
}

#[test]
fn html() {
    // The style sheet is left out: it is reviewed as itself.
    let body = |record: &Record| {
        let page = html::render(record);
        page.split_once("</style>").map(|(_, body)| body.replace("><", ">\n<")).unwrap_or_default()
    };
    assert_snapshot!("html_failed", body(&sample::failed_async()));
    assert_snapshot!("html_could_not_run", body(&sample::could_not_run()));
}

#[test]
fn summary() {
    assert_snapshot!("summary", render_summary(&sample::all()));
    assert_eq!(render_summary(&[]), "no runs\n");
}

#[test]
fn every_rendering_of_a_simulated_run_says_so_and_no_other_does() {
    for format in Format::ALL {
        let of = |record: &Record| render(record, format, &Style::default());
        assert!(of(&sample::simulated()).contains(SIMULATED_MARK), "{format}");
        assert!(!of(&sample::sample_record()).contains(SIMULATED_MARK), "{format}");
    }
    assert!(render_summary(&[sample::simulated()]).contains(SIMULATED_MARK));
}

#[test]
fn a_terminal_report_keeps_to_its_width() {
    for width in [0, 60, 80, 100, 133, usize::MAX] {
        for record in sample::all().into_iter().chain([sample::hostile()]) {
            for line in terminal::render(&record, &plain(width, width == 80)).lines() {
                assert!(line.chars().count() <= width.clamp(60, 400), "{width}: {line}");
                assert_eq!(line, line.trim_end());
                assert!(!line.chars().any(char::is_control), "{line:?}");
            }
        }
    }
}

#[test]
fn colour_adds_nothing_but_colour() {
    for record in sample::all() {
        let coloured = terminal::render(&record, &Style { color: true, ..Style::default() });
        let words = |text: &str| text.split_whitespace().map(str::to_owned).collect::<Vec<_>>();
        assert!(coloured.contains('\u{1b}'));
        assert_eq!(words(&without_colour(&coloured)), words(&terminal::render(&record, &Style::default())));
    }
}

/// The text without the sequences that set a colour.
fn without_colour(text: &str) -> String {
    let mut parts = text.split("\u{1b}[");
    let first = parts.next().unwrap_or_default().to_owned();
    parts.fold(first, |out, part| out + part.split_once('m').map_or("", |(_, rest)| rest))
}

#[test]
fn data_that_means_harm_stays_data() {
    let record = sample::hostile();
    for format in [Format::Markdown, Format::Html] {
        let text = render(&record, format, &Style::default());
        assert!(!text.contains("<script") && !text.contains('\u{1b}'), "{format}");
    }
    let xml = junit::render(&record);
    assert!(xml.contains("&lt;script") && !xml.contains("<script") && !xml.contains('\u{1b}'));
}

/// A record with a harmful end on every text in it that may be any.
fn corrupted(record: &Record, harm: &str) -> Record {
    let mut value = serde_json::to_value(record).expect("a value");
    for path in texts(&value, String::new()) {
        let text = value.pointer_mut(&path).expect("it was just there");
        let own = text.clone();
        *text = format!("{} {harm}", own.as_str().unwrap_or_default()).into();
        if serde_json::from_value::<Record>(value.clone()).is_err() {
            // One of a few words, and so no way to bring in others.
            *value.pointer_mut(&path).expect("it was just there") = own;
        }
    }
    serde_json::from_value(value).expect("a record")
}

/// Where texts stand.
fn texts(value: &serde_json::Value, at: String) -> Vec<String> {
    match value {
        serde_json::Value::String(_) => vec![at],
        serde_json::Value::Array(all) => {
            all.iter().enumerate().flat_map(|(index, one)| texts(one, format!("{at}/{index}"))).collect()
        }
        serde_json::Value::Object(all) => all.iter().flat_map(|(key, one)| texts(one, format!("{at}/{key}"))).collect(),
        _ => Vec::new(),
    }
}

#[test]
fn no_field_of_a_record_can_steer_a_terminal_or_mention_anybody() {
    let harm = "\u{1b}[31m\u{7}\r\n::error::boom\n##[error]boom\u{202e} @ops #12 <b>x</b> https://evil";
    for record in &sample::all() {
        let record = corrupted(record, harm);
        assert!(record.scenario.title.contains("::error::"), "it was corrupted");
        for format in Format::ALL {
            let text = render(&record, format, &Style { verbose: true, ..Style::default() });
            let hidden = text.char_indices().find(|(_, c)| crate::safe::is_hidden(*c) && *c != '\n');
            assert_eq!(hidden, None, "{format}");
            let is_markup = matches!(format, Format::Markdown | Format::Html | Format::Junit);
            assert!(!(is_markup && text.contains("<b>")), "{format}");
        }
        let text = markdown::render(&record);
        for reference in ["@ops", "#12", "https://e"] {
            assert!(!text.contains(reference), "{reference}: {text}");
        }
        let coloured = terminal::render(&record, &Style { color: true, verbose: true, ..Style::default() });
        let plain = without_colour(&coloured);
        assert!(!plain.contains(|c| crate::safe::is_hidden(c) && c != '\n'), "colours, and nothing else");
        let shown = crate::safe::styled(&coloured);
        let is_command = |line: &str| line.trim_start().starts_with("::") || line.contains("##[");
        assert!(
            coloured.lines().any(is_command) && !shown.lines().any(is_command),
            "what a table breaks onto a new line too"
        );
    }
}

#[test]
fn a_suite_is_green_exactly_where_the_run_passed_and_left_nothing() {
    for record in sample::all() {
        let xml = junit::render(&record);
        let green = !xml.contains("<failure") && !xml.contains("<error");
        assert_eq!(green, record.exit_status() == 0, "{}", record.run_id);
    }
}

#[test]
fn a_page_stands_alone() {
    for record in sample::all() {
        let page = html::render(&record);
        assert!(
            !page.contains("<script") && !page.contains("<link") && !page.contains("src=") && !page.contains("url(")
        );
    }
}

#[test]
fn formats_are_read_by_their_names() {
    for format in Format::ALL {
        assert_eq!(format.to_string().parse(), Ok(format));
    }
    let error = "pdf".parse::<Format>().expect_err("unknown").to_string();
    assert_eq!(error, "unknown format `pdf`: expected one of terminal, markdown, json, junit, html");
}

/// Writes the pages to a directory, for whoever wants to look at them: `PAGES=/tmp/pages cargo test`.
#[test]
fn pages_to_look_at() {
    let Some(dir) = std::env::var_os("PAGES").map(std::path::PathBuf::from) else { return };
    for record in sample::all() {
        let name = format!(
            "{}{}.html",
            record.scenario.id,
            if record.world == crate::record::World::Simulated { "-simulated" } else { "" }
        );
        std::fs::write(dir.join(name), html::render(&record)).expect("a page written");
    }
}

#[test]
fn what_made_an_rpo_unmeasurable_stands_in_every_report() {
    let mut record = sample::sample_record();
    record.rpo = None;
    record.rpo_unmeasured = Some("find the writer of orders: db-a, db-b take writes".to_owned());
    (record.verdict, record.reasons) = crate::verdict::overall(&record, &[]);
    assert_eq!(record.verdict, crate::record::Verdict::Inconclusive);
    for format in Format::ALL {
        let text = render(&record, format, &Style { width: 400, ..Style::default() });
        assert!(text.contains("db-a, db-b take writes"), "{format}: {text}");
    }
}

#[test]
fn a_control_says_that_it_exercised_no_time_and_tells_its_outages() {
    let mut record = sample::control();
    let rto = record.rto.as_mut().unwrap_or_else(|| unreachable!("the control was measured"));
    let exactly = crate::record::Interval::exactly;
    let outage = |from: f64, to: f64| crate::record::Outage {
        began_ms: exactly(from * 1e3),
        ended_ms: Some(exactly(to * 1e3)),
        failed_requests: 9,
        upper_is_sample: false,
    };
    rto.outages = vec![outage(1.0, 3.6), outage(6.0, 7.7)];
    rto.target = Some(2.0);
    rto.verdict = crate::verdict::evaluate_outages(&rto.outages, rto.target);
    (record.verdict, record.reasons) = crate::verdict::overall(&record, &[]);
    assert_eq!(record.verdict, crate::record::Verdict::Failed);
    let text = render(&record, Format::Terminal, &Style { width: 200, ..Style::default() });
    assert!(text.contains("not exercised; 2 outages, the longest of 2.60 s"), "{text}");
}

/// To lay out a word takes the square of its length: one of a megabyte would take a day.
#[test]
fn a_word_without_end_is_shortened() {
    let mut record = sample::sample_record();
    record.reasons = vec!["x".repeat(1_000_000)];
    record.levels[0].checks[0].detail = "y".repeat(1_000_000);
    let text = terminal::render(&record, &plain(100, true));
    assert!(text.contains("xxx…") && text.len() < 50_000, "{} letters", text.len());
}
