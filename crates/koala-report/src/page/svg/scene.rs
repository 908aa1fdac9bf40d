//! What a drawing consists of.

use askama::Template;

/// A drawing, in units of about a pixel; its text is escaped by the template.
#[derive(Debug, Default, Template)]
#[template(path = "scene.svg")]
pub(in crate::page) struct Scene {
    pub(in crate::page) width: f64,
    pub(in crate::page) height: f64,
    pub(in crate::page) title: String,
    /// What it shows, in words.
    pub(in crate::page) description: String,
    pub(in crate::page) marks: Vec<Mark>,
    /// The style of a file that stands alone.
    pub(in crate::page) style: String,
}

/// A part of a drawing.
#[derive(Debug)]
pub(in crate::page) enum Mark {
    /// Strokes, or a filled area; `within` cuts them at a frame (left, top, width, height).
    Path {
        d: String,
        class: &'static str,
        colour: Colour,
        within: Option<[f64; 4]>,
    },
    /// A rectangle (left, top, width, height) with what it tells when pointed at.
    Cell {
        place: [f64; 4],
        class: &'static str,
        colour: Colour,
        /// How much of the colour, from 0 to 1.
        share: f64,
        told: String,
    },
    /// A disc with what it tells when pointed at.
    Dot {
        x: f64,
        y: f64,
        radius: f64,
        class: &'static str,
        colour: Colour,
        told: String,
    },
    /// Words.
    Text {
        x: f64,
        y: f64,
        anchor: Anchor,
        class: &'static str,
        colour: Colour,
        text: String,
    },
}

/// On which side of its place a text stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::page) enum Anchor {
    Start,
    Middle,
    End,
}

impl Anchor {
    fn name(self) -> &'static str {
        match self {
            Self::Start => "start",
            Self::Middle => "middle",
            Self::End => "end",
        }
    }
}

/// A colour of the page's style.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::page) enum Colour {
    /// Of an optimizer; grey if there is none.
    Hue(Option<usize>),
    /// By name.
    Named(&'static str),
    /// Red, green, blue: the same by day and by night.
    Fixed([u8; 3]),
}

impl Colour {
    /// In a page by name, so that it is another one by night; in a file as it is by day, since few programs but browsers know names.
    fn css(self, by_name: bool) -> String {
        let name = match self {
            Self::Hue(Some(hue)) => format!("hue-{hue}"),
            Self::Hue(None) => "grey".to_owned(),
            Self::Named(name) => name.to_owned(),
            Self::Fixed([red, green, blue]) => return format!("#{red:02x}{green:02x}{blue:02x}"),
        };
        match by_name {
            true => format!("var(--{name})"),
            false => by_day(&name).to_owned(),
        }
    }
}

/// The colours, those by day first.
const PALETTE: &str = include_str!("../../../assets/palette.css");

/// The value of a colour by day.
fn by_day(name: &str) -> &'static str {
    let value = PALETTE
        .split_once(&format!("--{name}: "))
        .and_then(|(_, after)| after.split(';').next());
    value.unwrap_or("currentColor")
}

/// A place with a tenth of a unit.
fn short(value: &f64) -> String {
    let text = format!("{value:.1}");
    match text.strip_suffix(".0") {
        Some("-0") => "0".to_owned(),
        Some(whole) => whole.to_owned(),
        None => text,
    }
}

impl Mark {
    pub(in crate::page) fn path(class: &'static str, colour: Colour, d: String) -> Self {
        Self::Path {
            d,
            class,
            colour,
            within: None,
        }
    }

    /// Words of an axis, in the colour of what is not to be looked at first.
    pub(in crate::page) fn of_axis(
        place: (f64, f64),
        anchor: Anchor,
        class: &'static str,
        text: impl Into<String>,
    ) -> Self {
        Self::text(place, anchor, class, Colour::Named("quiet"), text)
    }

    pub(in crate::page) fn text(
        (x, y): (f64, f64),
        anchor: Anchor,
        class: &'static str,
        colour: Colour,
        text: impl Into<String>,
    ) -> Self {
        Self::Text {
            x,
            y,
            anchor,
            class,
            colour,
            text: text.into(),
        }
    }
}

/// A share of a colour with two digits.
fn short_share(share: &f64) -> String {
    format!("{share:.2}")
}
