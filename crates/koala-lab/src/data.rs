//! `koala data`.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, Subcommand};
use comfy_table::Table;
use comfy_table::presets::NOTHING;
use koala_data::fetch::{self, FetchError, Options};
use koala_data::{
    CheckReport, ColumnPreparation, DataKind, DatasetName, LabelPreparation, PartReport,
    Preparation, check, check_own,
};
use koala_train::Error;
use koala_train::run::RunConfig;
use serde_json::json;

use crate::download::Bar;
use crate::flags::{Overrides, OwnFlags};
use crate::{interrupt, terminal};

/// Arguments of `koala data`.
#[derive(Args)]
pub struct DataArguments {
    #[command(subcommand)]
    action: Action,
}

#[derive(Subcommand)]
enum Action {
    /// List the data sets: what they are, their licences, and whether they are here
    List(ListArguments),
    /// Download a data set from its host, compare it with its published checksum and unpack it
    ///
    /// A download that stops, by Ctrl-C too, goes on where it was when the command is given again.
    Fetch(FetchArguments),
    /// Read a data set whole and say what is in it
    ///
    /// Exits with 1 if a file is missing or damaged.
    Check(CheckArguments),
}

#[derive(Args)]
struct ListArguments {
    /// Print the list as JSON, and nothing else, on the standard output
    #[arg(long)]
    json: bool,
}

#[derive(Args)]
struct FetchArguments {
    /// The data set
    #[arg(value_name = "NAME", value_parser = names())]
    name: String,
    /// Folder that it comes into [default: data/NAME]
    #[arg(long, value_name = "DIR")]
    into: Option<PathBuf>,
    /// Another host: the address of a folder that has the same files
    #[arg(long, value_name = "URL")]
    mirror: Option<String>,
    /// Print nothing but errors
    #[arg(long, short)]
    quiet: bool,
    /// Print what has come as JSON, and nothing else, on the standard output
    #[arg(long)]
    json: bool,
}

#[derive(Args)]
struct CheckArguments {
    /// The data set
    #[arg(value_name = "NAME", value_parser = names())]
    name: String,
    /// Exit with 1 also if a file that the host gives out is not, byte for byte, the published one
    #[arg(long)]
    published: bool,
    /// Print the report as JSON, and nothing else, on the standard output
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    own: OwnFlags,
}

fn names() -> clap::builder::PossibleValuesParser {
    DatasetName::ALL.map(DatasetName::name).into()
}

/// Does what is asked.
pub fn run(arguments: &DataArguments) -> Result<ExitCode, Error> {
    match &arguments.action {
        Action::List(list) => {
            print_list(list);
            Ok(ExitCode::SUCCESS)
        }
        Action::Fetch(arguments) => get(arguments),
        Action::Check(arguments) => look_over(arguments),
    }
}

/// Where a data set is, in words.
fn place(dataset: DatasetName) -> Option<String> {
    if dataset.is_embedded() {
        return Some("embedded".to_owned());
    }
    let found = dataset.find(None).ok()?;
    Some(found.display().to_string())
}

fn print_list(arguments: &ListArguments) {
    if arguments.json {
        let list: Vec<_> = DatasetName::ALL
            .into_iter()
            .map(|dataset| {
                json!({
                    "name": dataset.name(),
                    "kind": dataset.kind(),
                    "embedded": dataset.is_embedded(),
                    "found": dataset.find(None).ok(),
                    "size": dataset.source().size(),
                    "source": dataset.source(),
                })
            })
            .collect();
        terminal::json(&list);
        return;
    }
    let mut table = Table::new();
    table.load_style(NOTHING);
    table.set_header(["name", "here", "download", "licence", "content"]);
    for dataset in DatasetName::ALL {
        let source = dataset.source();
        table.add_row([
            dataset.name().to_owned(),
            place(dataset).unwrap_or_else(|| "-".to_owned()),
            match source.size() {
                Some(size) => format!("{:.1} MB", size as f64 / 1e6),
                None if !source.by_hand.is_empty() => "by hand".to_owned(),
                None if !source.files.is_empty() => "yes".to_owned(),
                None => "-".to_owned(),
            },
            source.licence.to_owned(),
            source.content.to_owned(),
        ]);
    }
    terminal::line(table.trim_fmt());
}

fn get(arguments: &FetchArguments) -> Result<ExitCode, Error> {
    let dataset = named(&arguments.name);
    let options = Options {
        into: arguments.into.clone(),
        mirror: arguments.mirror.clone(),
    };
    let interrupt = interrupt::on_ctrl_c();
    let mut bar = Bar::new(arguments.quiet || arguments.json);
    let fetched = fetch::fetch(dataset, &options, &mut bar, &interrupt);
    bar.finish();
    let fetched = match fetched {
        Err(error @ FetchError::Interrupted { .. }) => {
            terminal::error(&error);
            return Ok(interrupt::exit_code());
        }
        other => other?,
    };
    if arguments.json {
        terminal::json(&fetched);
    } else if !arguments.quiet {
        let licence = dataset.source().licence;
        terminal::line_with(
            &format!("{} is in ", dataset.name()),
            fetched.folder.display(),
            &format!(", its files the published ones. Licence: {licence}"),
        );
    }
    Ok(ExitCode::SUCCESS)
}

fn look_over(arguments: &CheckArguments) -> Result<ExitCode, Error> {
    let mut overrides = Overrides::default();
    overrides.put("dataset.name", Some(arguments.name.clone()));
    arguments.own.add_to(&mut overrides);
    let spec = RunConfig::resolve(None, &overrides.list)?.dataset;
    let dataset = named(&arguments.name);
    let report = match (dataset, spec.path()) {
        (own, Some(place)) if own.is_own() => check_own(dataset, place, &spec.load(None, 0)?),
        (_, path) => check(dataset, path)?,
    };
    if arguments.json {
        terminal::json(&report);
    } else {
        print_report(&report);
    }
    Ok(if arguments.published && !report.is_published() {
        ExitCode::FAILURE
    } else {
        ExitCode::SUCCESS
    })
}

fn print_report(report: &CheckReport) {
    let place = match &report.place {
        None => "embedded".to_owned(),
        Some(place) => format!("in {}", place.display()),
    };
    let labelled = report.parts.iter().any(|part| part.fewest.is_some());
    let (kind, samples) = match report.name.kind() {
        DataKind::Images => ("classes", "images"),
        DataKind::Text => ("different tokens", "tokens"),
        DataKind::Table if labelled => ("classes", "rows"),
        DataKind::Table => ("features", "rows"),
    };
    terminal::line(format!(
        "{}, {place}: whole, {} {kind}",
        report.name.name(),
        report.classes
    ));
    for line in report.preparation.iter().flat_map(prepared) {
        terminal::line(format!("  {line}"));
    }
    for part in &report.parts {
        terminal::line(format!(
            "  {}: {} {samples}{}",
            part.part,
            part.samples,
            spread(part, report.preparation.as_ref())
        ));
    }
    for warning in &report.warnings {
        terminal::warning(warning);
    }
    for file in &report.files {
        let verdict = if file.published {
            "the published file"
        } else {
            "NOT the published file, or packed anew"
        };
        terminal::line(format!(
            "  {}: {verdict} (SHA-256 {})",
            file.file.display(),
            file.sha256
        ));
    }
}

/// Of how many samples the classes of a part are.
fn spread(part: &PartReport, preparation: Option<&Preparation>) -> String {
    let class = |number: usize| match preparation.and_then(classes) {
        Some(names) => format!("'{}'", names.get(number).map_or("", String::as_str)),
        None => number.to_string(),
    };
    match (part.fewest, part.most) {
        (Some((low, fewest)), Some((high, most))) if fewest != most => format!(
            ", from {fewest} of class {} to {most} of class {}",
            class(low),
            class(high)
        ),
        (Some((_, each)), Some(_)) => format!(", {each} of each class"),
        _ => String::new(),
    }
}

/// The names of the classes.
fn classes(preparation: &Preparation) -> Option<&[String]> {
    match preparation {
        Preparation::Images(images) => Some(&images.classes),
        Preparation::Table(table) => match &table.label {
            LabelPreparation::Classes { classes, .. } => Some(classes),
            LabelPreparation::Numbers { .. } => None,
        },
        Preparation::Text(_) => None,
    }
}

/// What was made of data of one's own, a line each.
fn prepared(preparation: &Preparation) -> Vec<String> {
    match preparation {
        Preparation::Images(images) => {
            let colours = if images.channels == 1 {
                "grey"
            } else {
                "colour"
            };
            vec![format!(
                "pictures: {} x {} pixels, {colours}",
                images.width, images.height
            )]
        }
        Preparation::Table(table) => {
            let kind = match table.label {
                LabelPreparation::Classes { .. } => "classes",
                LabelPreparation::Numbers { .. } => "numbers",
            };
            let columns: Vec<&str> = table.columns.iter().map(ColumnPreparation::name).collect();
            vec![
                format!("label: {}, {kind}", table.label.name()),
                format!("{} features of: {}", table.width(), columns.join(", ")),
            ]
        }
        // Its report says it.
        Preparation::Text(_) => Vec::new(),
    }
}

/// The data set of a name that was checked when the command line was read.
fn named(name: &str) -> DatasetName {
    DatasetName::named(name).unwrap_or(DatasetName::Text)
}
