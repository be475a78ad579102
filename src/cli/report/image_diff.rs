//! The differences between two images, as text.

use serde_json::Value;
use solvekit::diff::{
    Change, Difference, FieldDiff, FileDiff, ImageDiff, LayerDiff, LayerHow, PlatformDiff, What,
};
use solvekit::oci::Descriptor;
use solvekit::text;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use super::explanation;
use super::records::size;

/// The most characters of a value.
const VALUE: usize = 100;
/// The most characters of a step.
const STEP: usize = 120;
/// The most characters of a line of a file.
const LINE: usize = 200;
/// The most fields.
const FIELDS: usize = 20;

/// The comparison as text: a paragraph for each platform, with the first image before the arrow.
pub(crate) fn text(diff: &ImageDiff) -> String {
    let mut text = String::new();
    let same = diff.platforms.iter().all(|platform| platform.same);
    if !same || diff.left.digest != diff.right.digest {
        text.push_str(&format!("{} → {}\n", diff.left.digest, diff.right.digest));
    }
    text.push_str(&fields("index", &diff.index));
    for platform in &diff.platforms {
        text.push_str(&of_platform(platform, &|_| String::new()));
    }
    for (names, which) in [(&diff.only_left, "first"), (&diff.only_right, "second")] {
        for name in names {
            text.push_str(&format!("{}: only in the {which} image\n", line(name)));
        }
    }
    text.push_str(&attestations(diff));
    text
}

/// A note that attestations are not compared.
pub(crate) fn attestations(diff: &ImageDiff) -> String {
    match diff.attestations {
        [0, 0] => String::new(),
        [left, right] => format!("attestations are not compared: there are {left} and {right}\n"),
    }
}

/// The images of one platform. `place` gives the line of the step that made a layer.
pub(crate) fn of_platform(diff: &PlatformDiff, place: &dyn Fn(&LayerDiff) -> String) -> String {
    let name = line(&diff.platform);
    if diff.same {
        return match diff.times_ignored {
            true => format!("{name}: the same but for times\n"),
            false => format!("{name}: the same, {}\n", diff.left.digest),
        };
    }
    let mut text = format!("{name}: different\n");
    if diff.rewritten {
        text.push_str("  the same fields, written in another way\n");
    }
    text.push_str(&indented(&fields("manifest", &diff.manifest)));
    text.push_str(&indented(&fields("config", &diff.config)));
    if diff.more_fields > 0 {
        text.push_str(&format!("  and {} more fields\n", diff.more_fields));
    }
    let mut layers = diff
        .layers
        .iter()
        .filter(|layer| layer.how != LayerHow::Times);
    if let Some(first) = layers.next() {
        text.push_str(&indented(&first_layer(first, diff, &place(first))));
    }
    let (looked_into, others): (Vec<_>, Vec<_>) =
        layers.partition(|layer| layer.how != LayerHow::NotCompared);
    for layer in looked_into {
        text.push_str(&indented(&further_layer(layer, &place(layer))));
    }
    if !others.is_empty() {
        let count = others.len();
        let layers = if count == 1 {
            "layer differs"
        } else {
            "layers differ"
        };
        text.push_str(&format!(
            "  {count} more {layers} above (look into them: --all)\n"
        ));
    }
    text
}

fn first_layer(layer: &LayerDiff, diff: &PlatformDiff, place: &str) -> String {
    let mut text = format!(
        "layer {} of {} is the first that differs: {}\n",
        layer.index + 1,
        diff.layer_counts[0].max(diff.layer_counts[1]),
        how(layer)
    );
    text.push_str(&format!(
        "  {} → {}\n",
        blob(&layer.left),
        blob(&layer.right)
    ));
    text.push_str(&steps(layer, place));
    for file in &layer.files.files {
        text.push_str(&indented(&of_file(file)));
    }
    match layer.files.total.saturating_sub(layer.files.files.len()) {
        0 => {}
        more => text.push_str(&format!(
            "  and {more} more (name them: --files {})\n",
            layer.files.total
        )),
    }
    text
}

fn further_layer(layer: &LayerDiff, place: &str) -> String {
    let mut text = format!("layer {}: {}\n", layer.index + 1, how(layer));
    text.push_str(&steps(layer, place));
    const SHOWN: usize = 3;
    let files = layer.files.files.iter().take(SHOWN);
    for file in files.filter(|_| layer.how == LayerHow::Files) {
        text.push_str(&indented(&of_file(file)));
    }
    match layer.files.total.saturating_sub(SHOWN) {
        0 => {}
        more => text.push_str(&format!("  and {more} more\n")),
    }
    text
}

fn how(layer: &LayerDiff) -> String {
    let files = &layer.files;
    match layer.how {
        LayerHow::Files if files.only_times == files.total => {
            format!(
                "only the times of {}",
                explanation::counted(files.total, "file", "files")
            )
        }
        LayerHow::Files => explanation::counted(files.total, "file", "files"),
        LayerHow::Times => "only times, which do not count".to_owned(),
        LayerHow::Order => match &files.order {
            Some([left, right]) => format!(
                "the same files in another order, from {} and {} on",
                line(left),
                line(right)
            ),
            None => "the same files in another order".to_owned(),
        },
        LayerHow::Headers => "the same files, with other headers in the archive".to_owned(),
        LayerHow::Compression => "the same archive, compressed in another way".to_owned(),
        LayerHow::Missing if layer.left.is_some() => "only the first image has it".to_owned(),
        LayerHow::Missing => "only the second image has it".to_owned(),
        LayerHow::Opaque => "it is not an archive of files".to_owned(),
        _ => "not looked into".to_owned(),
    }
}

fn blob(layer: &Option<Descriptor>) -> String {
    match layer {
        Some(layer) => {
            let bytes = i64::try_from(layer.size).unwrap_or(i64::MAX);
            format!("{} ({})", layer.digest, size(bytes).trim())
        }
        None => "none".to_owned(),
    }
}

/// The step that made the layer; shown once if it is the same in both images.
fn steps(layer: &LayerDiff, place: &str) -> String {
    let shown = |step: &Option<String>| match step {
        Some(step) => clipped(step, STEP),
        None => "unknown".to_owned(),
    };
    match &layer.steps {
        [None, None] => String::new(),
        [left, right] if left == right => format!("  {place}{}\n", shown(left)),
        [left, right] => format!("  {place}{} → {}\n", shown(left), shown(right)),
    }
}

fn of_file(file: &FileDiff) -> String {
    let mut text = format!("{}\n", summary(file));
    if let Some(lines) = file.text.as_deref().filter(|lines| !lines.is_empty()) {
        for shown in text::lines(lines).lines() {
            text.push_str(&format!("    {}\n", text::clip(shown, LINE).0));
        }
    }
    text
}

/// `changed /etc/passwd: content, mode 0644 → 0600`.
fn summary(file: &FileDiff) -> String {
    let path = line(&file.path);
    match file.change {
        Change::Added => return format!("added    /{path}"),
        Change::Removed => return format!("removed  /{path}"),
        _ => {}
    }
    let sizes = file.differences.iter().find(|it| it.what == What::Size);
    let found = file.differences.iter().filter(|it| it.what != What::Size);
    let found = found.map(|difference| match (difference.what, sizes) {
        (What::Content, Some(sizes)) => {
            format!(
                "content ({} → {} bytes{})",
                sizes.left,
                sizes.right,
                first_byte(file)
            )
        }
        (What::Content, None) => match first_byte(file) {
            place if place.is_empty() => "content".to_owned(),
            place => format!("content ({})", place.trim_start_matches(", ")),
        },
        _ => in_words(difference),
    });
    format!("changed  /{path}: {}", found.collect::<Vec<_>>().join(", "))
}

/// The first differing byte in a binary file.
fn first_byte(file: &FileDiff) -> String {
    match file.first_byte.filter(|_| file.text.is_none()) {
        Some(byte) => format!(", first at byte {byte}"),
        None => String::new(),
    }
}

fn in_words(difference: &Difference) -> String {
    let (left, right) = (line(&difference.left), line(&difference.right));
    let name = match difference.what {
        What::Type => "type",
        What::Content => return "content".to_owned(),
        What::Size => "size",
        What::Mode => "mode",
        What::Owner => "owner",
        What::Time => return format!("time {} → {}", time(&left), time(&right)),
        What::Link => "link to",
        What::Device => "device",
        What::Attributes => return attributes(&left, &right),
        _ => "other",
    };
    format!("{name} {left} → {right}")
}

fn attributes(left: &str, right: &str) -> String {
    match (left, right) {
        (names, "") => format!("without the attributes {names}"),
        ("", names) => format!("with the attributes {names}"),
        (left, right) if left == right => format!("attributes {left}"),
        (left, right) => format!("attributes {left} → {right}"),
    }
}

/// Formats seconds since 1970 as a date.
fn time(text: &str) -> String {
    let (seconds, fraction) = text.split_once('.').unwrap_or((text, ""));
    let date = seconds.parse().ok();
    let date = date.and_then(|seconds| OffsetDateTime::from_unix_timestamp(seconds).ok());
    match date.and_then(|date| date.format(&Rfc3339).ok()) {
        Some(date) if fraction.is_empty() => date,
        Some(date) => date.replace('Z', &format!(".{}Z", fraction.trim_end_matches('0'))),
        None => text.to_owned(),
    }
}

fn fields(of: &str, fields: &[FieldDiff]) -> String {
    // The history has a time for each step, and each layer has a media type.
    let (times, fields): (Vec<_>, Vec<_>) = fields
        .iter()
        .partition(|field| is_time_of_step(&field.name));
    let (types, fields): (Vec<&FieldDiff>, Vec<_>) = fields
        .into_iter()
        .partition(|field| field.name.ends_with(".mediaType"));
    let shown = fields.iter().take(FIELDS).map(|field| {
        format!(
            "{of} {}: {} → {}\n",
            line(&field.name),
            value(&field.left),
            value(&field.right)
        )
    });
    let mut text: String = shown.collect();
    if let Some(first) = types.first() {
        let (left, right) = (value(&first.left), value(&first.right));
        let count = types.len();
        text.push_str(&format!(
            "{of} media types: {left} → {right} ({count} of them)\n"
        ));
    }
    match times.len() {
        0 => {}
        1 => text.push_str(&format!("{of} history: the time of 1 step\n")),
        count => text.push_str(&format!("{of} history: the times of {count} steps\n")),
    }
    match fields.len().saturating_sub(FIELDS) {
        0 => {}
        more => text.push_str(&format!("{of}: and {more} more fields\n")),
    }
    text
}

fn is_time_of_step(name: &str) -> bool {
    name.starts_with("history[") && name.ends_with("].created")
}

fn value(value: &Option<Value>) -> String {
    match value {
        None => "none".to_owned(),
        Some(value) => clipped(&value.to_string(), VALUE),
    }
}

fn clipped(text: &str, most: usize) -> String {
    let text = line(text);
    match text::clip(&text, most).0 {
        whole if whole.len() == text.len() => text,
        part => format!("{part}…"),
    }
}

fn line(text: &str) -> String {
    text::one_line(text).into_owned()
}

fn indented(text: &str) -> String {
    text.lines().map(|line| format!("  {line}\n")).collect()
}
