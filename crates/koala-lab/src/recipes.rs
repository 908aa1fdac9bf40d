//! `koala recipes`.

use std::process::ExitCode;

use clap::Args;
use comfy_table::Table;
use comfy_table::presets::NOTHING;
use koala_train::Error;
use koala_train::recipe::{NAMES, Recipe, text_of};
use serde_json::json;

use crate::terminal;

/// Arguments of `koala recipes`.
#[derive(Args)]
pub struct RecipesArguments {
    /// Print this recipe's file, to start one of your own from
    #[arg(value_name = "NAME", value_parser = NAMES)]
    name: Option<String>,
    /// Print everything as JSON
    #[arg(long, conflicts_with = "name")]
    json: bool,
}

/// Lists the recipes, or prints one.
pub fn run(arguments: &RecipesArguments) -> Result<ExitCode, Error> {
    if let Some(text) = arguments.name.as_deref().and_then(text_of) {
        terminal::line(text.trim_end());
        return Ok(ExitCode::SUCCESS);
    }
    let recipes = NAMES
        .map(Recipe::find)
        .into_iter()
        .collect::<Result<Vec<_>, _>>()?;
    if arguments.json {
        let all = recipes
            .iter()
            .map(|recipe| {
                let config = recipe.resolve(&[])?;
                Ok(json!({
                    "name": recipe.name,
                    "about": recipe.about,
                    "dataset": config.dataset.name(),
                    "model": config.model.name(),
                    "epochs": config.epochs,
                    "batch_size": config.batch_size,
                    "optimizers": recipe.optimizers().collect::<Vec<_>>(),
                }))
            })
            .collect::<Result<Vec<_>, Error>>()?;
        terminal::json(&all);
        return Ok(ExitCode::SUCCESS);
    }
    let mut table = Table::new();
    table.load_style(NOTHING);
    table.set_header(["recipe", "what it is", "settings from"]);
    for recipe in &recipes {
        let source = recipe.about.source.split([';', '(']).next();
        table.add_row([
            recipe.name.as_str(),
            recipe.about.title.as_str(),
            source.unwrap_or_default().trim(),
        ]);
    }
    terminal::line(table.trim_fmt());
    terminal::line("koala train --recipe NAME runs one; koala recipes NAME prints its file");
    Ok(ExitCode::SUCCESS)
}
