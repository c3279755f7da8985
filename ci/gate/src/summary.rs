//! What a run of tests says of itself: how many there were, which were flaky, what those that failed said.

use std::ops::AddAssign;

/// So many tests ended so.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Count {
    pub passed: usize,
    pub failed: usize,
    pub skipped: usize,
}

impl AddAssign for Count {
    fn add_assign(&mut self, more: Self) {
        self.passed += more.passed;
        self.failed += more.failed;
        self.skipped += more.skipped;
    }
}

/// The sum of all summaries in what nextest or libtest printed.
pub fn count(output: &str) -> Count {
    let mut count = Count::default();
    for line in output.lines() {
        let Some(tail) = tail_of_summary(line) else { continue };
        for part in without_brackets(tail).split([',', ';']) {
            count += count_of(part);
        }
    }
    count
}

/// What follows `tests run:` in a line of nextest's, or `test result: ok.` in one of libtest's.
fn tail_of_summary(line: &str) -> Option<&str> {
    if line.trim_start().starts_with("Summary [") {
        return line.split_once("run:").map(|(_, tail)| tail);
    }
    line.strip_prefix("test result: ").and_then(|rest| rest.split_once(". ")).map(|(_, tail)| tail)
}

fn without_brackets(text: &str) -> String {
    let mut depth = 0_usize;
    let is_outside = |letter: &char| {
        depth = (depth + usize::from(*letter == '(')).saturating_sub(usize::from(*letter == ')'));
        depth == 0 && *letter != ')'
    };
    text.chars().filter(is_outside).collect()
}

/// `3 passed` and its like.
fn count_of(part: &str) -> Count {
    let Some((number, what)) = part.trim().split_once(' ') else { return Count::default() };
    let number = number.parse().unwrap_or_default();
    match what.trim() {
        "passed" => Count { passed: number, ..Count::default() },
        "failed" | "timed out" | "exec failed" => Count { failed: number, ..Count::default() },
        "skipped" | "ignored" => Count { skipped: number, ..Count::default() },
        _ => Count::default(),
    }
}

/// The tests that failed once and passed when they were tried again, as nextest lists them under its summary.
pub fn flaky(output: &str) -> Vec<String> {
    let listed = output.lines().skip_while(|line| tail_of_summary(line).is_none());
    let flaky = listed.filter(|line| line.trim_start().starts_with("FLAKY "));
    flaky.filter_map(|line| line.rsplit_once(']')).map(|(_, name)| name.trim().to_owned()).collect()
}

/// What the tests that failed said, as far down as it is said once more: nextest's below its summary, libtest's from
/// `failures:` on.
pub fn failures(output: &str) -> Vec<&str> {
    output.lines().skip_while(|line| tail_of_summary(line).is_none() && *line != "failures:").collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const NEXTEST: &str = "\
        PASS [   0.007s] (1/9) house street::tests::an_import_upwards_is_fine
─────
     Summary [  12.345s] 9 tests run: 7 passed (2 slow, 1 flaky), 1 failed, 1 timed out, 3 skipped
   FLAKY 2/2 [   4.321s] (3/9) blackstart::docker_world a_limit_really_limits_and_ends
        FAIL [   0.123s] (4/9) blackstart measure::tests::it_measures
  stdout ───
    assertion failed
";

    #[test]
    fn the_summary_of_nextest_is_understood() {
        assert_eq!(count(NEXTEST), Count { passed: 7, failed: 2, skipped: 3 });
        let stopped = "     Summary [   0.1s] 3/10 tests run: 2 passed, 1 failed, 0 skipped\n";
        assert_eq!(count(stopped), Count { passed: 2, failed: 1, skipped: 0 });
    }

    #[test]
    fn the_summaries_of_libtest_are_added() {
        let output = "test result: ok. 3 passed; 0 failed; 1 ignored; 0 measured; 0 filtered out; finished in 0.00s\n\
                      test result: FAILED. 1 passed; 2 failed; 0 ignored; 0 measured; 4 filtered out; finished in 1.2s\n";
        assert_eq!(count(output), Count { passed: 4, failed: 2, skipped: 1 });
    }

    #[test]
    fn words_of_a_test_are_no_summary() {
        assert_eq!(count("it said: test result: 5 passed\nSummary of 7 passed\n"), Count::default());
    }

    #[test]
    fn flaky_tests_are_named() {
        assert_eq!(flaky(NEXTEST), ["(3/9) blackstart::docker_world a_limit_really_limits_and_ends"]);
        assert!(flaky("   FLAKY 2/2 [   4.321s] in the middle of a run\n").is_empty());
    }

    #[test]
    fn what_failed_tests_said_is_cut_out() {
        assert_eq!(failures(NEXTEST).len(), 5);
        assert_eq!(
            failures("test a ... FAILED\n\nfailures:\n\n---- a ----\nwhy\n"),
            ["failures:", "", "---- a ----", "why"]
        );
        assert!(failures("test a ... ok\n").is_empty());
    }
}
