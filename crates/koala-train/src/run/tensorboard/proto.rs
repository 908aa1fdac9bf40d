//! The messages of an event file: of TensorFlow's `event.proto`, `summary.proto`, `tensor.proto` and
//! `tensor_shape.proto`, TensorBoard's `custom_scalar/layout.proto` and `hparams/plugin_data.proto`, and `google.protobuf.Value` the fields that are written here, with the
//! numbers they have there.

use prost::Message;

/// What was told at one moment.
#[derive(Clone, PartialEq, Message)]
pub(super) struct Event {
    /// Seconds since 1970.
    #[prost(double, tag = "1")]
    pub wall_time: f64,
    #[prost(int64, tag = "2")]
    pub step: i64,
    #[prost(oneof = "What", tags = "3, 5")]
    pub what: Option<What>,
}

#[derive(Clone, PartialEq, prost::Oneof)]
pub(super) enum What {
    /// In the first event of a file, and there alone.
    #[prost(string, tag = "3")]
    FileVersion(String),
    #[prost(message, tag = "5")]
    Summary(Summary),
}

#[derive(Clone, PartialEq, Message)]
pub(super) struct Summary {
    #[prost(message, repeated, tag = "1")]
    pub values: Vec<Value>,
}

/// One point of what the tag names.
#[derive(Clone, PartialEq, Message)]
pub(super) struct Value {
    #[prost(string, tag = "1")]
    pub tag: String,
    #[prost(oneof = "Content", tags = "2, 8")]
    pub content: Option<Content>,
    #[prost(message, optional, tag = "9")]
    pub metadata: Option<Metadata>,
}

#[derive(Clone, PartialEq, prost::Oneof)]
pub(super) enum Content {
    #[prost(float, tag = "2")]
    Scalar(f32),
    #[prost(message, tag = "8")]
    Tensor(Tensor),
}

/// About a tag; readers keep the first they meet.
#[derive(Clone, PartialEq, Message)]
pub(super) struct Metadata {
    /// What shows it.
    #[prost(message, optional, tag = "1")]
    pub plugin: Option<Plugin>,
    /// What it is, in Markdown.
    #[prost(string, tag = "3")]
    pub description: String,
    /// `DataClass` of `summary.proto`.
    #[prost(int32, tag = "4")]
    pub data_class: i32,
}

/// `DATA_CLASS_SCALAR`: one value a step. Without it TensorBoard's fast reader drops the description.
const SCALAR: i32 = 1;

#[derive(Clone, PartialEq, Message)]
pub(super) struct Plugin {
    #[prost(string, tag = "1")]
    pub name: String,
    #[prost(bytes = "vec", tag = "2")]
    pub content: Vec<u8>,
}

/// `HParamsPluginData`, of version 0, which is not written.
#[derive(Clone, PartialEq, Message)]
pub(super) struct SessionData {
    #[prost(oneof = "Session", tags = "3, 4")]
    pub session: Option<Session>,
}

#[derive(Clone, PartialEq, prost::Oneof)]
pub(super) enum Session {
    #[prost(message, tag = "3")]
    Start(SessionStart),
    #[prost(message, tag = "4")]
    End(SessionEnd),
}

#[derive(Clone, PartialEq, Message)]
pub(super) struct SessionStart {
    #[prost(btree_map = "string, message", tag = "1")]
    pub hyperparameters: std::collections::BTreeMap<String, Hyperparameter>,
    /// Seconds since 1970.
    #[prost(double, tag = "5")]
    pub time: f64,
}

#[derive(Clone, PartialEq, Message)]
pub(super) struct SessionEnd {
    #[prost(int32, tag = "1")]
    pub status: i32,
    /// Seconds since 1970.
    #[prost(double, tag = "2")]
    pub time: f64,
}

/// `google.protobuf.Value`.
#[derive(Clone, PartialEq, Message)]
pub(super) struct Hyperparameter {
    #[prost(oneof = "Kind", tags = "2, 3, 4")]
    pub kind: Option<Kind>,
}

#[derive(Clone, PartialEq, prost::Oneof)]
pub(super) enum Kind {
    #[prost(double, tag = "2")]
    Number(f64),
    #[prost(string, tag = "3")]
    Text(String),
    #[prost(bool, tag = "4")]
    Flag(bool),
}

/// A tensor of strings.
#[derive(Clone, PartialEq, Message)]
pub(super) struct Tensor {
    #[prost(int32, tag = "1")]
    pub data_type: i32,
    #[prost(message, optional, tag = "2")]
    pub shape: Option<Shape>,
    #[prost(bytes = "vec", repeated, tag = "8")]
    pub strings: Vec<Vec<u8>>,
}

/// `DT_STRING` of `types.proto`.
const STRING: i32 = 7;

/// No dimension: a single value.
#[derive(Clone, Copy, PartialEq, Message)]
pub(super) struct Shape {}

/// What the dashboard of custom scalars shows.
#[derive(Clone, PartialEq, Message)]
pub(super) struct Layout {
    #[prost(message, repeated, tag = "2")]
    pub categories: Vec<Category>,
}

#[derive(Clone, PartialEq, Message)]
pub(super) struct Category {
    #[prost(string, tag = "1")]
    pub title: String,
    #[prost(message, repeated, tag = "2")]
    pub charts: Vec<Chart>,
}

/// Several curves in one chart.
#[derive(Clone, PartialEq, Message)]
pub(super) struct Chart {
    #[prost(string, tag = "1")]
    pub title: String,
    #[prost(message, optional, tag = "2")]
    pub lines: Option<Lines>,
}

#[derive(Clone, PartialEq, Message)]
pub(super) struct Lines {
    /// Regular expressions; a curve for each tag that one of them matches.
    #[prost(string, repeated, tag = "1")]
    pub tags: Vec<String>,
}

impl Value {
    /// A point of a curve, with the curve's description if there is none yet in the file.
    pub(super) fn scalar(tag: String, value: f32, description: Option<&str>) -> Self {
        Self {
            tag,
            content: Some(Content::Scalar(value)),
            metadata: description.map(|description| Metadata {
                plugin: Some(Plugin {
                    name: "scalars".to_owned(),
                    content: Vec::new(),
                }),
                description: description.to_owned(),
                data_class: SCALAR,
            }),
        }
    }

    /// What a plugin is told beside any value.
    pub(super) fn metadata(tag: &str, plugin: Plugin) -> Self {
        Self {
            tag: tag.to_owned(),
            content: None,
            metadata: Some(Metadata {
                plugin: Some(plugin),
                description: String::new(),
                // Left to the reader, as in what TensorBoard's own writers leave.
                data_class: 0,
            }),
        }
    }

    /// A single string that the plugin of this name understands.
    pub(super) fn string(tag: &str, plugin: &str, string: Vec<u8>) -> Self {
        Self {
            tag: tag.to_owned(),
            content: Some(Content::Tensor(Tensor {
                data_type: STRING,
                shape: Some(Shape {}),
                strings: vec![string],
            })),
            metadata: Some(Metadata {
                plugin: Some(Plugin {
                    name: plugin.to_owned(),
                    content: Vec::new(),
                }),
                description: String::new(),
                // Left to the reader, as TensorBoard's own writers of texts and layouts do.
                data_class: 0,
            }),
        }
    }
}
