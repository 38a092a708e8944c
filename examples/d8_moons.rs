//! D8: relu, sigmoid and tanh on two moons: how fast each learns, and how well.

use clap::Parser;
use gradus::data::{make_moons, train_test_split};
use gradus::metrics::accuracy_score;
use gradus::nn::{self, Layer, Module, Sequential};
use gradus::optim::{Adam, Optimizer};
use gradus::plot::{Panel, Series, bars, curves};
use gradus::preprocessing::StandardScaler;
use gradus::{DType, Result, Tensor, no_grad, random};
use std::{fs, io::Write, path::{Path, PathBuf}};

const SAMPLES: usize = 1000;
const NOISE: f64 = 0.1;
const LR: f64 = 0.01;

fn net(activation: &str) -> Result<Sequential> {
    Ok(Sequential::new()
        .add(nn::Linear::new(2, 10)?)
        .add(nn::activation(activation)?)
        .add(nn::Linear::new(10, 10)?)
        .add(nn::activation(activation)?)
        .add(nn::Linear::new(10, 2)?))
}
