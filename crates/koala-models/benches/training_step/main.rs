//! What a whole training step costs: forward, backward, and the optimizer.
//!
//! `cargo bench --workspace --bench training_step` prints a table of all networks; `scripts/step_ratios.py` runs it in turns with
//! PyTorch's side, `python/benchmarks/training_step.py`, which has the same networks, batches and options.

mod memory;
mod networks;
mod step;

use clap::Parser;
use mimalloc::MiMalloc;

use crate::networks::Network;
use crate::step::Contender;

// As the program `koala` has it.
#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

#[derive(Parser)]
struct Arguments {
    /// Networks to time, one after the other; all of them if none is named.
    #[arg(long, value_delimiter = ',')]
    networks: Vec<Network>,
    /// Optimizers that make the step.
    #[arg(long, value_delimiter = ',', default_value = "koala-a")]
    optimizers: Vec<Contender>,
    /// Timed steps of each.
    #[arg(long, default_value_t = 10)]
    steps: usize,
    /// By Burn's own operations instead of the fused ones.
    #[arg(long)]
    burn: bool,
    /// A line of JSON for each network and optimizer.
    #[arg(long)]
    json: bool,
    /// What Cargo passes to every benchmark.
    #[arg(long, hide = true)]
    bench: bool,
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let arguments = Arguments::parse();
    let networks = match arguments.networks.is_empty() {
        true => Network::ALL.to_vec(),
        false => arguments.networks,
    };
    if !arguments.json {
        println!(
            "{:12} {:8} {:>10} {:>10} {:>8} {:>10} {:>9} {:>17}",
            "network", "step by", "ms", "CPU ms", "MB", "forward ms", "step ms", "loss"
        );
    }
    for network in networks {
        for optimizer in &arguments.optimizers {
            // On a thread of the pool, as the program trains.
            let found = rayon::scope(|_| {
                let time = || network.time(*optimizer, arguments.steps);
                let found = if arguments.burn {
                    koala_ops::with_burn(time)
                } else {
                    time()
                };
                found.map_err(|error| error.to_string())
            })?;
            println!(
                "{}",
                match arguments.json {
                    true => found.json(network, *optimizer),
                    false => found.row(network, *optimizer),
                }
            );
        }
    }
    Ok(())
}
