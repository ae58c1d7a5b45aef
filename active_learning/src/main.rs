//! `loopwright-learner`: works for a Loopwright server, or replays a measured screen.

mod bench;
mod speed;
mod work;

use active_learning::device::{self, Preference};
use clap::{Parser, Subcommand, ValueEnum};

#[derive(Parser)]
#[command(name = "loopwright-learner", version, about = "The virtual cell of Loopwright")]
struct Arguments {
    /// Threads libtorch may use inside one operation. Results are the same for the same number; models of
    /// this size gain little from more, and lose much on busy cores.
    #[arg(long, global = true, default_value_t = 1)]
    threads: u16,
    /// Where what is said of many experiments is computed, and networks are trained: auto (CUDA where libtorch sees it), cpu
    /// or cuda
    #[arg(long, global = true, env = "LOOPWRIGHT_DEVICE", value_enum, default_value_t = Compute::Auto)]
    device: Compute,
    /// How the log is written to stderr: text, or json with an object a line
    #[arg(long, global = true, env = "LOOPWRIGHT_LOG_FORMAT", default_value = "text", value_parser = ["text", "json"])]
    log_format: String,
    #[command(subcommand)]
    command: Command,
}

#[derive(Clone, Copy, ValueEnum)]
enum Compute {
    Auto,
    Cpu,
    Cuda,
}

#[derive(Subcommand)]
enum Command {
    /// Pull jobs from a server: train, propose, predict.
    Work(work::Arguments),
    /// Replay a measured screen and report how many hits were found.
    Bench(bench::Arguments),
    /// Measure training, scoring and choosing, beside BoTorch where it is given.
    Speed(speed::Arguments),
    /// Print the steps at which a test may kill something.
    #[command(hide = true)]
    CrashPoints,
}

fn main() -> anyhow::Result<()> {
    let arguments = Arguments::parse();
    let log = tracing_subscriber::fmt()
        .with_env_filter(
            tracing_subscriber::EnvFilter::builder()
                .with_default_directive(tracing::level_filters::LevelFilter::INFO.into())
                .from_env_lossy(),
        )
        .with_writer(std::io::stderr);
    if arguments.log_format == "json" {
        log.json().flatten_event(true).init();
    } else {
        log.init();
    }
    tch::set_num_threads(i32::from(arguments.threads.max(1)));
    let device = device::prefer(match arguments.device {
        Compute::Auto => Preference::Auto,
        Compute::Cpu => Preference::Cpu,
        Compute::Cuda => Preference::Cuda,
    })?;
    tracing::debug!(?device, "where heavy work is computed");
    match arguments.command {
        Command::Work(work) => work.run(),
        Command::Bench(bench) => bench.run(),
        Command::Speed(speed) => speed.run(arguments.threads),
        Command::CrashPoints => {
            println!(
                "{}",
                jobs::crash::list(&[
                    jobs::worker::steps::Step::LISTED,
                    active_learning::worker::steps::Step::LISTED
                ])
            );
            Ok(())
        }
    }
}
