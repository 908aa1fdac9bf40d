//! Which parameters a group of options holds for.

use std::fmt;

use globset::{GlobBuilder, GlobMatcher};
use koala_filter::{Group, Layout};

use crate::census::Census;
use crate::error::{Error, Result};

/// How many paths an error shows.
const EXAMPLES: usize = 6;

type Predicate = Box<dyn Fn(&str, &[usize]) -> bool + Send + Sync>;

/// Options for the parameters that a pattern or a predicate picks. Where several groups pick a parameter, the first one
/// has it; what none picks is in the default group.
///
/// ```
/// use koala_burn::{Group, ParameterGroup};
///
/// let no_decay = ParameterGroup::matching("**.bias", Group::without_decay())?;
/// let small = ParameterGroup::when(|_path, shape| shape.len() < 2, Group::default().with_gain(0.5));
/// # Ok::<(), koala_burn::Error>(())
/// ```
pub struct ParameterGroup {
    rule: Rule,
    group: Group,
}

enum Rule {
    Pattern(GlobMatcher, String),
    Predicate(Predicate),
}

impl ParameterGroup {
    /// The parameters whose path matches a glob. A path is the names of the module's fields from the root, joined with
    /// dots, list positions included: `encoder.layers.0.weight`. `*` and `?` stay within one name, `**` spans any
    /// number of whole names (none among them), and `[0-3]` and `{a,b}` are as in a shell: `**.bias`, `encoder.**`,
    /// `layers.*.norm.{gamma,beta}`.
    ///
    /// # Errors
    /// [`Error::InvalidPattern`] if it is no glob.
    pub fn matching(pattern: &str, group: Group) -> Result<Self> {
        let glob = GlobBuilder::new(&slashed(pattern))
            .literal_separator(true)
            .build()
            .map_err(|error| Error::InvalidPattern {
                pattern: pattern.to_owned(),
                reason: error.kind().to_string(),
            })?;
        Ok(Self {
            rule: Rule::Pattern(glob.compile_matcher(), pattern.to_owned()),
            group,
        })
    }

    /// The parameters for which `predicate` of path and shape holds.
    pub fn when(
        predicate: impl Fn(&str, &[usize]) -> bool + Send + Sync + 'static,
        group: Group,
    ) -> Self {
        Self {
            rule: Rule::Predicate(Box::new(predicate)),
            group,
        }
    }

    fn holds(&self, path: &str, shape: &[usize]) -> bool {
        match &self.rule {
            Rule::Pattern(glob, _) => glob.is_match(slashed(path)),
            Rule::Predicate(predicate) => predicate(path, shape),
        }
    }
}

impl fmt::Debug for ParameterGroup {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let rule = match &self.rule {
            Rule::Pattern(_, pattern) => pattern.as_str(),
            Rule::Predicate(_) => "a predicate",
        };
        formatter
            .debug_struct("ParameterGroup")
            .field("rule", &rule)
            .field("group", &self.group)
            .finish()
    }
}

/// The layout of a model's tracked parameters, each in the first group that picks it.
pub(crate) fn layout(census: &Census, groups: &[ParameterGroup]) -> Result<Layout> {
    if census.tracked().next().is_none() {
        return Err(Error::NothingToTrain);
    }
    let mut layout = groups.iter().fold(Layout::new(), |layout, group| {
        layout.with_group(group.group.clone())
    });
    let mut picked = vec![false; groups.len()];
    for entry in census.tracked() {
        let mut first = None;
        for (index, group) in groups.iter().enumerate() {
            if group.holds(&entry.path, &entry.shape) {
                picked[index] = true;
                first = first.or(Some(index));
            }
        }
        let group = first.map_or(0, |index| index + 1);
        layout = layout.with_parameter(entry.path.clone(), &entry.shape, group);
    }
    match picked.iter().position(|&picked| !picked) {
        None => Ok(layout),
        Some(index) => Err(Error::EmptyGroup {
            group: match &groups[index].rule {
                Rule::Pattern(_, pattern) => format!("group pattern '{pattern}'"),
                Rule::Predicate(_) => format!("the predicate of group {}", index + 1),
            },
            examples: examples(census),
        }),
    }
}

fn examples(census: &Census) -> String {
    let paths: Vec<_> = census
        .tracked()
        .map(|entry| format!("'{}'", entry.path))
        .collect();
    let more = paths.len().saturating_sub(EXAMPLES);
    let shown = paths[..paths.len() - more].join(", ");
    if more == 0 {
        shown
    } else {
        format!("{shown} and {more} more")
    }
}

fn slashed(path: &str) -> String {
    path.replace('.', "/")
}
