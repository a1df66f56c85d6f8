//! Every word of a text is to be seen, no line is too wide, and nothing but effects comes out beside it.

use super::*;
use proptest::prelude::*;

fn shown(text: &str, width: usize, colour: bool) -> String {
    let lines = render(text, width, colour);
    let lines: Vec<String> = lines.iter().map(|line| line.text().to_string()).collect();
    lines.join("\n")
}

const ALL: &str = "\
# Gate 4

Keep it **shut** until _further_ word, ~~or not~~.
Ask `control` first; see [the plan](https://x.example/plan \"of May\").
Mail <mara@x.example>.

## To do

- call the *north* gate
  and wait
- then
  1. log it
  2. stand down
- [x] lamp

> What they said:
> we come back.

```
06:40  in
06:45  out
```

| who | when |
| --- | ---- |
| van | 06:40 |
| car 2 | 07:00 |

***
![the lane](lane.png)
";

#[test]
fn without_colour_it_reads_as_a_page() {
    let expected = "\
Gate 4
══════

Keep it **shut** until _further_ word,
~~or not~~.
Ask `control` first; see the plan
(https://x.example/plan \"of May\").
Mail mara@x.example.

To do
─────

• call the _north_ gate
  and wait
• then
  1. log it
  2. stand down
• [x] lamp

│ What they said:
│ we come back.

    06:40  in
    06:45  out

who   │ when
─────────────
van   │ 06:40
car 2 │ 07:00

────────────────────────────────────────

[picture: the lane] (lane.png)";
    assert_eq!(shown(ALL, 40, false), expected);
}

#[test]
fn effects_stand_around_what_they_are_for() {
    let lines = render("# A\n\nb **c d** `e`\n", 40, true);
    let bytes = ansi(&lines);
    assert_eq!(
        bytes.as_str(),
        "\u{1b}[1mA\u{1b}[0m\n═\n\nb \u{1b}[1mc d\u{1b}[0m `e`\n"
    );
    assert!(!ansi(&render(ALL, 40, false)).contains('\u{1b}'));
}

#[test]
fn lines_and_columns_of_a_text_that_is_no_markdown_stay() {
    let text = "06:40  gate 4   open\n06:45  control told\n\n  (R) why: a letter\n";
    let expected = "06:40  gate 4   open\n06:45  control told\n\n(R) why: a letter";
    assert_eq!(shown(text, 60, true), expected);
}

#[test]
fn a_table_too_wide_is_told_cell_by_cell() {
    let text = "| who | what |\n|---|---|\n| Corin | stood at the north gate for an hour |\n| Azra | left |\n";
    let expected = "who: Corin\nwhat: stood at the\nnorth gate for an\nhour\n\nwho: Azra\nwhat: left";
    assert_eq!(shown(text, 20, false), expected);
}

#[test]
fn nothing_in_a_text_drives_the_terminal() {
    let text =
        "a\u{1b}[2Jb &#27;[2J &#x9b;2J \u{202e}c `\u{1b}[0m` [x](http://\u{1b}]8;;) <b\u{7}>\n\n    \u{1b}c\r\nd";
    for colour in [true, false] {
        let bytes = ansi(&render(text, 30, colour));
        let rest = without_effects(&bytes);
        assert!(!rest.chars().any(crate::app::is_harmful), "{bytes:?}");
        assert!(rest.contains("a<U+1B>[2Jb <U+1B>[2J"), "{rest}");
    }
}

#[test]
fn what_is_wider_than_a_screen_is_broken_there() {
    let lines = fold(render("abcdefgh **山山山**", 4, true), 4);
    let lines: Vec<String> = lines.iter().map(|line| line.text().to_string()).collect();
    assert_eq!(lines, ["abcd", "efgh", "山山", "山"]);
    let narrow = wrap(Effects::new(), "one two three", 7);
    let narrow: Vec<String> = narrow.iter().map(|line| line.text().to_string()).collect();
    assert_eq!(narrow, ["one two", "three"]);
}

#[test]
fn what_markdown_does_not_show_is_shown() {
    let info = "``` the driver was bribed\nlog line\n```\n";
    assert_eq!(shown(info, 40, true), "    ```the driver was bribed\n    log line");
    let link = "See [n].\n\n[n]: /x \"that the house is empty\"\n";
    assert_eq!(
        shown(link, 60, true),
        "See n (/x \"that the house is empty\").\n\n[n]: /x \"that the house is empty\""
    );
    let cell = "| post | who |\n|---|---|\n| north | two guards | and never open the side door |\n";
    assert_eq!(shown(cell, 80, true), cell.trim_end());
    let twice = "The door.\n\n[n]: /x \"one\"\n[n]: /y \"The door\"\n";
    assert_eq!(shown(twice, 80, false), twice.trim_end());
    // Characters that are written as entities are no reason not to.
    let entities = "1. *a* &amp; b&#33;\n1. c\n\n> 1. 2nd gate\n";
    assert_eq!(shown(entities, 40, true), "1. a & b!\n1. c\n\n│ 1. 2nd gate");
}

/// Markdown counts from the first number on: a day that somebody wrote at the front of a line would be another.
#[test]
fn a_list_has_the_numbers_that_were_written() {
    for text in [
        "12. May 2024 he came\n14. May 2024 he left",
        "3) keys\n1) lamp\n   1. log\n   9. call",
        "• gate\n  1. May\n  31. June",
        "1. 1. 7. a\n8. b",
        "007. a\n008. b",
        "0. a\n0. b",
        "1. a\n\n1. b",
    ] {
        assert_eq!(shown(&text.replace('•', "-"), 60, true), text);
    }
    assert_eq!(
        shown("> 12. **he** came\n> 14. left", 60, true),
        "│ 12. he came\n│ 14. left"
    );
    assert_eq!(shown("  12.  *a*\n  14.  b", 60, true), "12. a\n14. b");
    assert_eq!(
        shown("* top **x**\n\t1. one\n\t7. two", 60, true),
        "• top x\n  1. one\n  7. two"
    );
    assert_eq!(shown(">\t12. May **a**\n>\t14. b", 60, true), "│ 12. May a\n│ 14. b");
}

#[test]
fn a_text_as_it_was_written_keeps_its_marks_and_spaces() {
    let text = "# A\n\n  *b*   c\r\n| d |\n\n\u{1b}e";
    let lines = as_written(text, 40);
    let lines: Vec<String> = lines.iter().map(|line| line.text().to_string()).collect();
    assert_eq!(lines, ["# A", "", "  *b*   c", "| d |", "", "<U+1B>e"]);
}

/// What is left without the escapes that set effects.
fn without_effects(text: &str) -> String {
    let escape = regex::Regex::new("\u{1b}\\[[0-9;]*m").unwrap();
    escape.replace_all(text, "").into_owned()
}

/// Words that no Markdown hides.
fn word() -> impl Strategy<Value = String> {
    "[a-zé山]{1,9}[0-9]{0,2}"
}

fn words() -> impl Strategy<Value = String> {
    proptest::collection::vec(word(), 1..12).prop_map(|words| words.join(" "))
}

/// A block of Markdown with its marks.
fn block() -> impl Strategy<Value = String> {
    (words(), words(), 0..12usize).prop_map(|(a, b, form)| match form {
        0 => format!("# {a}\n\n{b}"),
        1 => format!("### {a}"),
        2 => format!("- {a}\n- {b}\n  - {a}"),
        3 => format!("7. {a}\n\n8. {b}"),
        4 => format!("> {a}\n>\n> > {b}"),
        5 => format!("```\n{a}\n  {b}\n```"),
        6 => format!("| {a} | {b} |\n| --- | --- |\n| {b} | {a} |"),
        7 => format!("**{a}** _{b}_ ~~x~~"),
        8 => format!("[{a}](https://{}.example) `{b}`", "h".repeat(8)),
        9 => format!("<div>\n{a}\n</div>\n\n![{b}](x)"),
        10 => format!("{a}\\\n{b}\n***"),
        _ => format!("{a}\n{b}"),
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, ..ProptestConfig::default() })]

    #[test]
    fn every_word_is_seen_and_every_line_fits(
        blocks in proptest::collection::vec(block(), 1..8),
        width in 30..120usize,
        colour in any::<bool>(),
    ) {
        let text = blocks.join("\n\n");
        let seen = shown(&text, width, colour);
        for word in text.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty()) {
            prop_assert!(seen.contains(word), "`{word}` of\n{text}\nis not in\n{seen}");
        }
        for line in seen.lines() {
            prop_assert!(line.width() <= width, "{} columns of {width}: {line}\n{text}", line.width());
        }
    }

    #[test]
    fn no_word_of_a_table_a_fence_or_a_definition_is_hidden(
        words in proptest::collection::vec(word(), 6),
        forms in proptest::collection::vec(0..8usize, 1..6),
        width in 20..120usize,
        colour in any::<bool>(),
    ) {
        let [a, b, c, d, e, f] = &words[..] else { return Ok(()) };
        let block = |form: &usize| match form {
            0 => format!("| {a} | {b} |\n|---|---|\n| {c} | {d} | {e} {f} |"),
            1 => format!("``` {a} {b}\n{c}\n```"),
            2 => format!("[{a}]: /{b} \"{c} {d}\""),
            3 => format!("> [{b}]: <{c}>\n> '{d}'\n> {e}"),
            4 => format!("~~~~ {a}\n~~~\n{b}\n~~~~"),
            5 => format!("- {a}\n\n  | {b} |\n  |---|\n  | {c} | {d} |"),
            6 => format!("[{a}][{b}] ![{c}][{d}] [{e}]"),
            _ => format!("<!-- {a} --> <b {c}='{d}'> {e} | {f}"),
        };
        let text = forms.iter().map(block).collect::<Vec<_>>().join("\n\n");
        let seen = shown(&text, width, colour);
        let count = |text: &str, word: &str| super::words(text).filter(|one| *one == word).count();
        for word in super::words(&text) {
            prop_assert!(count(&seen, word) >= count(&text, word), "`{word}` of\n{text}\nis hidden in\n{seen}");
        }
    }

    #[test]
    fn no_text_drives_the_terminal_or_makes_it_panic(
        text in "(?s).{0,200}|[\\-*_#>`|\\[\\]()<&;!~0-9. \n\ta\u{1b}\u{9b}]{0,200}",
        width in 0..60usize,
        colour in any::<bool>(),
    ) {
        let lines = render(&text, width, colour);
        for line in &lines {
            let shown = line.text();
            let words = shown.split(' ').filter(|word| !word.is_empty()).count();
            // A word that is too wide by itself stands alone, behind the marks of what it stands in.
            let fits = shown.width() <= width.max(1);
            prop_assert!(fits || words <= 1 || width <= 60, "{shown:?} in {width}");
        }
        let rest = without_effects(&ansi(&lines));
        prop_assert!(!rest.chars().any(|c| crate::app::is_harmful(c) || c == '\t'), "{rest:?}");
        for line in fold(lines, width.max(2)) {
            prop_assert!(line.text().chars().map(|c| c.width().unwrap_or(0)).sum::<usize>() <= width.max(2));
        }
    }
}
