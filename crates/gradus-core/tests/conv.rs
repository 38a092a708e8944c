//! Convolutions against a naive model of seven loops, over random shapes and options.

use gradus_core::conv::{Conv, ConvTranspose, Padding};
use gradus_core::{DType, Result, Tensor};
use proptest::prelude::*;

/// Sizes of `[n, c, h, w]` or `[o, c / groups, kh, kw]`.
type Sizes = [usize; 4];

/// A convolution: the sizes of input and weight, and the options.
#[derive(Clone, Debug)]
struct Setting {
    x: Sizes,
    w: Sizes,
    stride: [usize; 2],
    padding: [usize; 2],
    dilation: [usize; 2],
    groups: usize,
}

impl Setting {
    fn options(&self) -> Conv<2> {
        Conv {
            stride: self.stride,
            padding: Padding::Each(self.padding),
            dilation: self.dilation,
            groups: self.groups,
        }
    }

    fn output(&self) -> Sizes {
        let size = |d: usize| {
            let reach = self.dilation[d] * (self.w[2 + d] - 1);
            (self.x[2 + d] + 2 * self.padding[d] - reach - 1) / self.stride[d] + 1
        };
        [self.x[0], self.w[0], size(0), size(1)]
    }

    /// Calls `f` with the places of input, weight and output in each product.
    fn products(&self, mut f: impl FnMut(usize, usize, usize)) {
        let (y, per) = (self.output(), self.w[0] / self.groups);
        let at = |index: Sizes, of: Sizes| index.iter().zip(of).fold(0, |at, (&i, n)| at * n + i);
        for [n, o, i, j] in indices(y) {
            for [_, c, k, l] in indices([1, self.w[1], self.w[2], self.w[3]]) {
                let row = (i * self.stride[0] + k * self.dilation[0]).checked_sub(self.padding[0]);
                let col = (j * self.stride[1] + l * self.dilation[1]).checked_sub(self.padding[1]);
                let (Some(row), Some(col)) = (row, col) else {
                    continue;
                };
                if row < self.x[2] && col < self.x[3] {
                    let x = [n, o / per * self.w[1] + c, row, col];
                    f(at(x, self.x), at([o, c, k, l], self.w), at([n, o, i, j], y));
                }
            }
        }
    }
}

fn indices([a, b, c, d]: Sizes) -> impl Iterator<Item = Sizes> {
    (0..a * b * c * d).map(move |i| [i / (b * c * d), i / (c * d) % b, i / d % c, i % d])
}

/// Numbers of both signs, no two alike.
fn numbers(sizes: &[usize], seed: f64) -> Vec<f64> {
    let n = sizes.iter().product::<usize>();
    (0..n).map(|i| (seed + 0.7 * i as f64).sin()).collect()
}

fn tensor(sizes: &[usize], values: &[f64], dtype: DType) -> Tensor {
    let x = Tensor::from_vec(values, sizes).unwrap();
    x.to_dtype(dtype).unwrap().requires_grad_(true).unwrap()
}

/// Where two lists differ by more than the rounding of sums of this many products, and what they have
/// there.
fn apart(a: &[f64], b: &[f64], tolerance: f64, products: usize) -> Option<(usize, f64, f64)> {
    assert_eq!(a.len(), b.len());
    let tolerance = tolerance * (products as f64 / 100.0).max(1.0);
    let pairs = a.iter().zip(b).enumerate();
    let mut differences = pairs.filter(|(_, (a, b))| (*a - *b).abs() > tolerance * (1.0 + b.abs()));
    differences.next().map(|(i, (a, b))| (i, *a, *b))
}

fn values(x: &Tensor) -> Vec<f64> {
    x.to_vec().unwrap()
}

/// Result, and the gradients of all inputs for the gradient `v` of the result.
fn run(inputs: &[&Tensor], v: &[f64], f: impl FnOnce() -> Result<Tensor>) -> [Vec<f64>; 4] {
    inputs.iter().for_each(|x| x.zero_grad());
    let y = f().unwrap();
    let v = Tensor::from_vec(v, y.shape())
        .unwrap()
        .to_dtype(y.dtype())
        .unwrap();
    y.backward_with(&v).unwrap();
    let mut all = vec![values(&y)];
    all.extend(inputs.iter().map(|x| values(&x.grad().unwrap())));
    all.try_into().unwrap()
}

/// A convolution and the transposed one of the same geometry in both dtypes against loops.
fn check(s: &Setting) {
    let y = s.output();
    let (x, w) = (numbers(&s.x, 1.0), numbers(&s.w, 2.0));
    let (v, b) = (numbers(&y, 3.0), numbers(&y[1..2], 4.0));
    let pixels = y[2] * y[3];
    let channel = |i: usize| i / pixels % y[1];
    // No sum has more.
    let products = (y[0] * pixels).max(s.w[1..].iter().product());
    let products = products.max(s.w[0] * s.w[2] * s.w[3]);
    // What the loops give.
    let mut out: Vec<f64> = (0..v.len()).map(|i| b[channel(i)]).collect();
    let (mut dx, mut dw, mut db) = (vec![0.0; x.len()], vec![0.0; w.len()], vec![0.0; b.len()]);
    s.products(|i, k, o| {
        out[o] += x[i] * w[k];
        dx[i] += v[o] * w[k];
        dw[k] += v[o] * x[i];
    });
    v.iter().enumerate().for_each(|(i, v)| db[channel(i)] += v);
    for (dtype, tolerance) in [(DType::F64, 1e-12), (DType::F32, 2e-5)] {
        let [tx, tw, tb] = [
            tensor(&s.x, &x, dtype),
            tensor(&s.w, &w, dtype),
            tensor(&y[1..2], &b, dtype),
        ];
        let got = run(&[&tx, &tw, &tb], &v, || {
            tx.conv2d(&tw, Some(&tb), &s.options())
        });
        for (name, got, want) in [
            ("y", &got[0], &out),
            ("dx", &got[1], &dx),
            ("dw", &got[2], &dw),
            ("db", &got[3], &db),
        ] {
            let difference = apart(got, want, tolerance, products);
            assert!(
                difference.is_none(),
                "{name} of {s:?} in {dtype}: {difference:?}"
            );
        }
        // Back from the output to an input: what is left of it at the end is output padding.
        let rest: [usize; 2] = std::array::from_fn(|d| {
            let reach = s.dilation[d] * (s.w[2 + d] - 1) + 1;
            s.x[2 + d] + 2 * s.padding[d] - reach - (y[2 + d] - 1) * s.stride[d]
        });
        if (0..2).any(|d| rest[d] >= s.stride[d].max(s.dilation[d])) {
            continue;
        }
        let options = ConvTranspose {
            stride: s.stride,
            padding: s.padding,
            output_padding: rest,
            dilation: s.dilation,
            groups: s.groups,
        };
        let tv = tensor(&y, &v, dtype);
        let no_bias = tensor(&s.x[1..2], &vec![0.0; s.x[1]], dtype);
        let got = run(&[&tv, &tw, &no_bias], &x, || {
            tv.conv_transpose2d(&tw, Some(&no_bias), &options)
        });
        let plain: Vec<f64> = out
            .iter()
            .enumerate()
            .map(|(i, y)| y - b[channel(i)])
            .collect();
        for (name, got, want) in [
            ("x", &got[0], &dx),
            ("dy", &got[1], &plain),
            ("dw", &got[2], &dw),
        ] {
            let difference = apart(got, want, tolerance, products);
            assert!(
                difference.is_none(),
                "transposed {name} of {s:?} in {dtype}: {difference:?}"
            );
        }
    }
}

fn settings() -> impl Strategy<Value = Setting> {
    let pair = |n: std::ops::RangeInclusive<usize>| [n.clone(), n];
    let channels = prop_oneof![1usize..5, Just(8), Just(17)];
    let sizes = (
        1usize..4,
        channels.clone(),
        channels,
        pair(1..=9),
        pair(1..=4),
    );
    let options = (pair(1..=4), pair(0..=3), pair(1..=3), 1usize..4);
    (sizes, options).prop_filter_map("the kernel must fit", |(sizes, options)| {
        let (n, c, o, image, kernel) = sizes;
        let (stride, padding, dilation, groups) = options;
        // Depthwise ones have as many groups as channels.
        let groups = if c == 1 && groups == 3 { 19 } else { groups };
        let fits = |d: usize| image[d] + 2 * padding[d] > dilation[d] * (kernel[d] - 1);
        (fits(0) && fits(1)).then(|| Setting {
            x: [n, c * groups, image[0], image[1]],
            w: [o * groups, c, kernel[0], kernel[1]],
            stride,
            padding,
            dilation,
            groups,
        })
    })
}

/// Sizes of real networks, of which a convolution has many tasks, and a weight's gradient several
/// parts and blocks.
#[test]
fn large_convolutions_and_their_gradients_are_those_of_loops() {
    let plain = Setting {
        x: [8, 16, 24, 24],
        w: [32, 16, 3, 3],
        stride: [1, 1],
        padding: [1, 1],
        dilation: [1, 1],
        groups: 1,
    };
    let settings = [
        plain.clone(),
        // Half the size, with a border that no output needs.
        Setting {
            x: [8, 16, 31, 30],
            w: [40, 16, 3, 3],
            stride: [2, 2],
            padding: [0, 1],
            ..plain
        },
        Setting {
            x: [6, 24, 20, 28],
            w: [36, 12, 3, 3],
            groups: 2,
            ..plain
        },
        // Depthwise; the channels fill no vectors up.
        Setting {
            x: [8, 67, 32, 24],
            w: [67, 1, 3, 3],
            groups: 67,
            ..plain
        },
        // As large as the input, from one channel.
        Setting {
            x: [16, 1, 28, 28],
            w: [20, 1, 5, 5],
            padding: [2, 2],
            ..plain
        },
        // Channels only, where inputs are long beside what is computed.
        Setting {
            x: [8, 8, 56, 48],
            w: [8, 8, 1, 1],
            padding: [0, 0],
            ..plain
        },
        // A sequence, dilated.
        Setting {
            x: [6, 20, 1, 900],
            w: [33, 20, 1, 5],
            padding: [0, 4],
            dilation: [1, 2],
            ..plain
        },
    ];
    settings.iter().for_each(check);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..Default::default() })]

    #[test]
    fn convolutions_and_their_gradients_are_those_of_loops(setting in settings()) {
        check(&setting);
    }
}
