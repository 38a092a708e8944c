//! `gradus completions`.

use crate::Cli;
use crate::failure::Result;
use crate::output;
use clap::{Args, CommandFactory};
use clap_complete::Shell;

/// Print what makes a shell complete the commands and options of this program
#[derive(Args)]
#[command(after_help = "\
Examples:
  gradus completions bash > ~/.local/share/bash-completion/completions/gradus
  gradus completions zsh > ~/.zfunc/_gradus
  gradus completions fish > ~/.config/fish/completions/gradus.fish")]
pub struct Completions {
    /// The shell
    shell: Shell,
}

impl Completions {
    pub fn run(self) -> Result {
        // Straight to standard output it would panic when nobody reads.
        let mut script = Vec::new();
        clap_complete::generate(self.shell, &mut Cli::command(), "gradus", &mut script);
        output::line(String::from_utf8_lossy(&script).trim_end())
    }
}
