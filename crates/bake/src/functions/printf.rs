//! `format` and `formatlist`: verbs as in C's `printf`.

use crate::files::Host;
use crate::value::{FloatStyle, FormatFlags, Type, Value, convert, json};

use unicode_segmentation::UnicodeSegmentation;

use super::arguments::{Arguments, Fault, reserve};
use super::error::{CallReason, FormatProblem};
use super::{Definition, any, function, text};

/// The largest width and precision, as in Go.
const MAX_WIDTH: usize = 1_000_000;

pub(super) const FUNCTIONS: &[Definition] = &[
    function("format", &[text("format")], format).and_more(any("args").or_null()),
    function("formatlist", &[text("format")], format_list).and_more(any("args").or_null()),
];

fn format(args: &Arguments<'_>, _: &dyn Host) -> Result<Value, Fault> {
    Ok(Value::string(write(args.text(0)?, args.from(1))?))
}

/// Formats once for each element of the lists, which must have the same length.
fn format_list(args: &Arguments<'_>, _: &dyn Host) -> Result<Value, Fault> {
    let pattern = args.text(0)?;
    let values = args.from(1);
    let mut chosen: Option<(usize, usize)> = None;
    for (index, value) in values.iter().enumerate() {
        let Some(found) = value.items().map(<[Value]>::len) else {
            continue;
        };
        match chosen {
            Some((other, want)) if want != found => {
                let other = other + 1;
                return Err(Fault::at(
                    index + 1,
                    CallReason::ListLength { found, want, other },
                ));
            }
            _ => chosen = chosen.or(Some((index, found))),
        }
    }
    let mut size = 0usize;
    let mut formatted = Vec::new();
    for round in 0..chosen.map_or(1, |(_, length)| length) {
        let element = |value: &Value| match value.items() {
            Some(items) => items.get(round).cloned().unwrap_or(Value::null()),
            None => value.clone(),
        };
        let round_values: Vec<Value> = values.iter().map(element).collect();
        let text = write(pattern, &round_values).map_err(|fault| fault.reason)?;
        size = size.saturating_add(text.len() + size_of::<Value>());
        reserve(size)?;
        formatted.push(text);
    }
    Ok(Value::strings(formatted))
}

/// One verb: `%`, flags, width, precision, the number of its argument, a letter.
struct Verb<'a> {
    raw: &'a str,
    offset: usize,
    flags: FormatFlags,
    width: Option<usize>,
    precision: Option<usize>,
    /// The number of the argument, from 1.
    number: usize,
    letter: char,
}

fn write(pattern: &str, values: &[Value]) -> Result<String, Fault> {
    let mut out = String::new();
    let mut at = 0;
    let (mut next, mut used) = (1, 0);
    while let Some(percent) = pattern[at..].find('%') {
        out.push_str(&pattern[at..at + percent]);
        at += percent;
        if pattern[at..].starts_with("%%") {
            out.push('%');
            at += 2;
            continue;
        }
        let verb = Verb::parse(pattern, at, next)?;
        used = used.max(verb.number);
        next = verb.number + 1;
        at += verb.raw.len();
        let value = verb
            .number
            .checked_sub(1)
            .and_then(|index| values.get(index));
        let value = value.ok_or_else(|| {
            verb.wrong(FormatProblem::NoArgument {
                verb: verb.raw.to_owned(),
                number: verb.number,
            })
        })?;
        verb.write(value, &mut out)?;
        reserve(out.len())?;
    }
    out.push_str(&pattern[at..]);
    if used < values.len() {
        return Err(Fault::at(used + 1, CallReason::UnusedArguments { used }));
    }
    Ok(out)
}

impl<'a> Verb<'a> {
    fn parse(pattern: &'a str, offset: usize, next: usize) -> Result<Self, Fault> {
        let mut scan = Scan {
            pattern,
            at: offset + 1,
        };
        let flags = scan.flags();
        let width = scan.number('1')?;
        let precision = if scan.skip('.') {
            Some(scan.number('0')?.unwrap_or(0))
        } else {
            None
        };
        let number = if scan.skip('[') {
            let number = scan.number('1')?;
            let number = number.ok_or_else(|| scan.unexpected())?;
            if !scan.skip(']') {
                return Err(scan.unexpected());
            }
            number
        } else {
            next
        };
        let letter = scan.peek().filter(char::is_ascii_alphabetic);
        let letter = letter.ok_or_else(|| scan.unexpected())?;
        Ok(Self {
            raw: &pattern[offset..=scan.at],
            offset,
            flags,
            width,
            precision,
            number,
            letter,
        })
    }

    fn wrong(&self, problem: FormatProblem) -> Fault {
        let offset = self.offset;
        CallReason::Format { offset, problem }.into()
    }

    fn write(&self, value: &Value, out: &mut String) -> Result<(), Fault> {
        if self.letter != 'v' && value.is_null() {
            let verb = self.raw.to_owned();
            return Err(self.wrong(FormatProblem::Null { verb }));
        }
        match self.letter {
            'v' => out.push_str(&self.padded(self.plain(value)?)),
            't' => {
                let truth = self.converted(value, &Type::Bool)?.as_bool();
                out.push_str(if truth == Some(true) { "true" } else { "false" });
            }
            'b' | 'd' | 'o' | 'x' | 'X' => out.push_str(&self.integer(value)?),
            'e' | 'E' | 'f' | 'g' | 'G' => out.push_str(&self.float(value)?),
            's' | 'q' => out.push_str(&self.padded(self.text(value)?)),
            verb => return Err(self.wrong(FormatProblem::UnknownVerb { verb })),
        }
        Ok(())
    }

    fn converted(&self, value: &Value, want: &Type) -> Result<Value, Fault> {
        convert(value, want).map_err(|error| self.wrong(FormatProblem::Convert(error)))
    }

    /// `%v`: text and numbers unchanged, anything else as JSON.
    fn plain(&self, value: &Value) -> Result<String, Fault> {
        match value {
            Value::String(text) if !self.flags.sharp => Ok(text.to_string()),
            Value::Number(number) if !self.flags.sharp => {
                Ok(number.text(FloatStyle::General('e'), None))
            }
            _ => json::encode(value).map_err(|error| self.wrong(FormatProblem::Json(error))),
        }
    }

    /// `%s` and `%q`; the precision counts characters.
    fn text(&self, value: &Value) -> Result<String, Fault> {
        let value = self.converted(value, &Type::String)?;
        let text = value.as_str().unwrap_or_default();
        let text: String = match self.precision {
            Some(most @ 1..) => text.graphemes(true).take(most).collect(),
            _ => text.to_owned(),
        };
        if self.letter == 's' {
            return Ok(text);
        }
        let mut quoted = String::new();
        json::write_string(&mut quoted, &text);
        Ok(quoted)
    }

    fn float(&self, value: &Value) -> Result<String, Fault> {
        let value = self.converted(value, &Type::Number)?;
        let Some(number) = value.as_number() else {
            return Err(CallReason::NumberRequired.into());
        };
        let style = match self.letter {
            'e' | 'E' => FloatStyle::Exponent(self.letter),
            'g' => FloatStyle::General('e'),
            'G' => FloatStyle::General('E'),
            _ => FloatStyle::Fixed,
        };
        let width = self.width.unwrap_or(0);
        Ok(number.format(style, self.precision, width, self.flags))
    }

    fn integer(&self, value: &Value) -> Result<String, Fault> {
        let value = self.converted(value, &Type::Number)?;
        let integer = value.as_number().filter(|number| number.is_integer());
        let integer = integer
            .and_then(|number| number.truncate())
            .ok_or_else(|| {
                let verb = self.raw.to_owned();
                self.wrong(FormatProblem::WholeNumber { verb })
            })?;
        let (radix, prefix) = match self.letter {
            'b' => (2, "0b"),
            'o' => (8, "0"),
            'x' => (16, "0x"),
            'X' => (16, "0X"),
            _ => (10, ""),
        };
        let mut digits = integer.magnitude().to_str_radix(radix);
        if self.letter == 'X' {
            digits.make_ascii_uppercase();
        }
        if digits == "0" && self.precision == Some(0) {
            return Ok(String::new());
        }
        let sign = match (integer.sign(), self.flags) {
            (num_bigint::Sign::Minus, _) => "-",
            (_, FormatFlags { plus: true, .. }) => "+",
            (_, FormatFlags { space: true, .. }) => " ",
            _ => "",
        };
        let prefix = if self.flags.sharp { prefix } else { "" };
        let zeros = self.precision.unwrap_or(0).saturating_sub(digits.len());
        let body = format!("{}{digits}", "0".repeat(zeros));
        let length = sign.len() + prefix.len() + body.len();
        let padding = self.width.unwrap_or(0).saturating_sub(length);
        Ok(if self.flags.minus {
            format!("{sign}{prefix}{body}{}", " ".repeat(padding))
        } else if self.flags.zero && self.precision.is_none() {
            format!("{sign}{prefix}{}{body}", "0".repeat(padding))
        } else {
            format!("{}{sign}{prefix}{body}", " ".repeat(padding))
        })
    }

    fn padded(&self, text: String) -> String {
        let Some(width) = self.width else {
            return text;
        };
        let padding = width.saturating_sub(text.graphemes(true).count());
        let padding = if self.flags.zero { "0" } else { " " }.repeat(padding);
        if self.flags.minus {
            text + &padding
        } else {
            padding + &text
        }
    }
}

/// Parses the parts of a verb.
struct Scan<'a> {
    pattern: &'a str,
    at: usize,
}

impl Scan<'_> {
    fn peek(&self) -> Option<char> {
        self.pattern[self.at..].chars().next()
    }

    fn skip(&mut self, wanted: char) -> bool {
        let found = self.peek() == Some(wanted);
        self.at += if found { wanted.len_utf8() } else { 0 };
        found
    }

    fn flags(&mut self) -> FormatFlags {
        let mut flags = FormatFlags::default();
        while let Some(flag @ ('0' | '#' | '-' | '+' | ' ')) = self.peek() {
            match flag {
                '0' => flags.zero = true,
                '#' => flags.sharp = true,
                '-' => flags.minus = true,
                '+' => flags.plus = true,
                _ => flags.space = true,
            }
            self.at += 1;
        }
        flags
    }

    /// Parses digits, the first of which is at least `least`.
    fn number(&mut self, least: char) -> Result<Option<usize>, Fault> {
        let digits = &self.pattern[self.at..];
        let length = digits
            .find(|c: char| !c.is_ascii_digit())
            .unwrap_or(digits.len());
        if length == 0 || !digits.starts_with(|c| c >= least) {
            return Ok(None);
        }
        let number = digits[..length]
            .parse()
            .ok()
            .filter(|number| *number <= MAX_WIDTH);
        let offset = self.at;
        self.at += length;
        let problem = FormatProblem::Width;
        match number {
            Some(number) => Ok(Some(number)),
            None => Err(CallReason::Format { offset, problem }.into()),
        }
    }

    fn unexpected(&self) -> Fault {
        let problem = match self.peek() {
            Some(found) => FormatProblem::Unexpected { found },
            None => FormatProblem::Unfinished,
        };
        let offset = self.at;
        CallReason::Format { offset, problem }.into()
    }
}
