//! Expectations printed by CPython 3.13.

use super::split::StripEnds;
use super::*;

fn t(s: &str) -> Text {
    Text::from_utf8(s).expect("memory")
}

fn collected(
    cut: impl FnOnce(&mut dyn FnMut(std::ops::Range<usize>) -> Result<(), NoMemory>) -> Result<(), NoMemory>,
) -> Result<split::Pieces, NoMemory> {
    let mut pieces = Vec::new();
    cut(&mut |piece| {
        pieces.push(piece);
        Ok(())
    })?;
    Ok(pieces)
}

fn pieces(text: &Text, ranges: Result<split::Pieces, NoMemory>) -> Vec<String> {
    ranges
        .expect("memory")
        .into_iter()
        .map(|r| text.slice(r.start, r.end).expect("memory").to_string())
        .collect()
}

fn shown(text: Result<Text, NoMemory>) -> String {
    text.expect("memory").to_string()
}

#[test]
fn the_narrowest_kind_is_chosen_and_nothing_is_lost() {
    for points in [vec![], vec![97], vec![97, 233], vec![97, 0x20ac], vec![0xd800], vec![0x1f600, 97]] {
        let text = Text::from_code_points(&points).expect("memory");
        assert_eq!(text.code_points().collect::<Vec<_>>(), points);
        assert_eq!(text.as_ascii().is_some(), points.iter().all(|&p| p < 128));
        assert_eq!(Text::collect(points.iter().copied()).expect("memory"), text);
        let bytes = text.to_wtf8().expect("memory");
        assert_eq!(Text::from_wtf8(&bytes).expect("memory").as_ref(), Some(&text));
        assert_eq!(text.slice(0, 1).expect("memory").code_points().next(), points.first().copied());
    }
    let lone = Text::from_code_points(&[97, 0xd800]).expect("memory");
    assert_eq!((lone.to_utf8(), lone.to_string()), (None, "a\u{fffd}".to_string()));
    assert_eq!(Text::from_wtf8(b"a\xff"), Ok(None));
    assert_eq!(t("a€😀").slice(0, 2).expect("memory").kind(), Kind::Ucs2);
    assert_eq!(t("aé").slice(0, 1).expect("memory").kind(), Kind::Ascii);
}

#[test]
fn slices_joins_and_repeats() {
    assert_eq!(shown(t("abcdef").slice_step(5, -2, 3)), "fdb");
    assert_eq!(shown(t("ab€def").slice_step(0, 2, 9)), "a€e");
    assert_eq!(shown(t("né").repeat(3)), "nénéné");
    assert_eq!(t("ab").repeat(usize::MAX), Err(NoMemory));
    assert_eq!(shown(t(", ").join([&t("a"), &t("€"), &t("😀")].into_iter())), "a, €, 😀");
    assert_eq!(shown(t("é").concat(&t("€"))), "é€");
    assert!(
        t("abc") < t("abd") && t("z") < t("é") && t("é") < t("€") && t("€") < t("😀") && t("ab") < t("abc")
    );
}

#[test]
fn substrings_are_found_in_every_kind() {
    for extra in ["", "é", "€", "😀"] {
        let text = t(&format!("abcabcabd{extra}abc"));
        let (abc, end) = (t("abc"), text.len());
        assert_eq!(text.find(&abc, 0, end), Some(0));
        assert_eq!(text.find(&abc, 1, end), Some(3));
        assert_eq!(text.find(&t("abd"), 0, end), Some(6));
        assert_eq!(text.rfind(&abc, 0, end), Some(end - 3));
        assert_eq!(text.rfind(&abc, 0, end - 1), Some(3));
        assert_eq!(text.find(&t("€€"), 0, end), None);
        assert_eq!((text.count(&abc, 0, end), text.count(&t(""), 0, end)), (3, end + 1));
        assert_eq!(text.find(&t(""), end, end), Some(end));
        assert_eq!(text.find(&t(""), end + 1, end), None);
        let new = text.replace(&abc, &t("x"), Some(2)).expect("memory").map(|t| t.to_string());
        assert_eq!(new, Some(format!("xxabd{extra}abc")));
    }
    assert_eq!(t("ab").replace(&t(""), &t("-"), None).expect("memory"), Some(t("-a-b-")));
    assert_eq!(t("ab").replace(&t(""), &t("-"), Some(2)).expect("memory"), Some(t("-a-b")));
    assert_eq!(t("ab").replace(&t("c"), &t("-"), None).expect("memory"), None);
}

#[test]
fn periodic_needles_take_linear_time() {
    let hay = t("€").repeat(200_000).expect("memory");
    let needle = t("€").repeat(50_000).expect("memory").concat(&t("x")).expect("memory");
    let mirrored = t("x").concat(&t("€").repeat(50_000).expect("memory")).expect("memory");
    assert_eq!(hay.find(&needle, 0, hay.len()), None);
    assert_eq!(hay.rfind(&mirrored, 0, hay.len()), None);
    let found = hay.concat(&t("x")).expect("memory");
    assert_eq!(found.find(&needle, 0, found.len()), Some(150_000));
}

#[test]
fn splitting() {
    let text = t("  a b\u{2003} c  ");
    let words = |limit| collected(|piece| text.split_whitespace(limit, piece));
    assert_eq!(pieces(&text, words(None)), ["a", "b", "c"]);
    assert_eq!(pieces(&text, words(Some(1))), ["a", "b\u{2003} c  "]);
    assert_eq!(pieces(&text, words(Some(0))), ["a b\u{2003} c  "]);
    assert_eq!(pieces(&text, text.rsplit_whitespace(Some(1))), ["  a b", "c"]);
    assert_eq!(pieces(&text, text.rsplit_whitespace(None)), ["a", "b", "c"]);
    let text = t("a,,b,");
    let fields = |limit| collected(|piece| text.split(&t(","), limit, piece));
    assert_eq!(pieces(&text, fields(None)), ["a", "", "b", ""]);
    assert_eq!(pieces(&text, fields(Some(1))), ["a", ",b,"]);
    assert_eq!(pieces(&text, text.rsplit(&t(","), Some(2))), ["a,", "b", ""]);
    let text = t("a\nb\r\nc\rd\u{2028}\n");
    assert_eq!(pieces(&text, text.split_lines(false)), ["a", "b", "c", "d", ""]);
    assert_eq!(pieces(&text, text.split_lines(true)), ["a\n", "b\r\n", "c\r", "d\u{2028}", "\n"]);
    assert_eq!(t(" \u{a0}a ").strip(None, StripEnds::Both), 2..3);
    assert_eq!(t("xyax").strip(Some(&t("yx")), StripEnds::Left), 2..4);
    assert_eq!(t("xyax").strip(Some(&t("yx")), StripEnds::Right), 0..3);
}

#[test]
fn case_maps() {
    assert_eq!(shown(t("ΟΔΟΣ Σ ΑΣ.Β").to_lower()), "οδος σ ας.β".replace("ς.β", "σ.β"));
    assert_eq!(shown(t("ß ŉ ﬁ ǆ").to_upper()), "SS ʼN FI Ǆ");
    assert_eq!(shown(t("İ").to_lower()), "i\u{307}");
    assert_eq!(shown(t("Straße ς").casefold()), "strasse σ");
    assert_eq!(shown(t("they're ǆ ﬁne 1st").to_title()), "They'Re ǅ Fine 1St");
    assert_eq!(shown(t("ǆABC").capitalize()), "ǅabc");
    assert_eq!(shown(t("Hello ßΣ").swapcase()), "hELLO SSς");
}

#[test]
fn predicates() {
    assert!(t("aé漢").is_alpha() && !t("a1").is_alpha() && !t("").is_alpha());
    assert!(t("1٣").is_decimal() && !t("²").is_decimal() && t("²").is_digit() && !t("½").is_digit());
    assert!(t("½Ⅷ五").is_numeric() && t("a²½").is_alnum() && t("\u{1c} \u{3000}").is_space());
    assert!(t("a1!").is_lower() && !t("1!").is_lower() && !t("ǅa").is_lower() && t("A1").is_upper());
    assert!(t("Ab Cd").is_title() && !t("AB").is_title() && !t("").is_title());
    assert!(t("_x1é").is_identifier() && !t("1x").is_identifier() && !t("").is_identifier());
    assert!(t("").is_printable() && t("a é").is_printable() && !t("\n").is_printable());
    assert!(!t("\u{a0}").is_printable() && !t("\u{e000}").is_printable());
    let values: Vec<_> =
        ["7", "٣", "𝟗", "a"].iter().map(|s| t(s).get(0).and_then(case::decimal_value)).collect();
    assert_eq!(values, [Some(7), Some(3), Some(9), None]);
}

#[test]
fn layout() {
    assert_eq!(shown(t("ab").center(5, 0x2a)), "**ab*");
    assert_eq!(shown(t("abc").center(6, 0x2a)), "*abc**");
    assert_eq!(shown(t("-42").zfill(6)), "-00042");
    assert_eq!(shown(t("é").rjust(3, 0x20ac)), "€€é");
    assert_eq!(shown(t("a\tb\n\tc").expand_tabs(4)), "a   b\n    c");
    assert_eq!(shown(t("a\tb").expand_tabs(0)), "ab");
    assert_eq!(t("a").ljust(usize::MAX, 32), Err(NoMemory));
}

#[test]
fn quoting() {
    assert_eq!(shown(t("it's").repr()), "\"it's\"");
    assert_eq!(shown(t("'\"").repr()), "'\\'\"'");
    assert_eq!(
        shown(t("\0\t\\é\u{a0}\u{2028}\u{e0001}😀").repr()),
        "'\\x00\\t\\\\é\\xa0\\u2028\\U000e0001😀'"
    );
    assert_eq!(shown(t("é€😀").ascii_repr()), "'\\xe9\\u20ac\\U0001f600'");
    assert_eq!(shown(Text::from_code_points(&[0xd800]).expect("memory").repr()), "'\\ud800'");
}
