//! Scales and divisions of samples beside scikit-learn's figures (1.9), and a set of points beside
//! PyTorch's.

use gradus::data::{KFold, StratifiedKFold, synthetic_regression, train_test_split};
use gradus::preprocessing::{MinMaxScaler, StandardScaler};
use gradus::{DType, Kind, Tensor};

fn close(x: &Tensor, expected: &[f64], tolerance: f64) {
    let x: Vec<f64> = x.to_vec().unwrap();
    assert_eq!(x.len(), expected.len());
    for (x, e) in x.iter().zip(expected) {
        assert!((x - e).abs() <= tolerance, "{x} is not {e}");
    }
}

fn numbers() -> Tensor {
    let rows = [
        1.0, 10.0, 0.1, 5.0, //
        2.0, 20.0, 0.1, -5.0, //
        4.0, 15.0, 0.1, 0.25,
    ];
    Tensor::from_vec(rows, [3, 4]).unwrap()
}

/// Other figures than scikit-learn's, or a way back that leads elsewhere.
#[test]
fn columns_come_to_one_scale() {
    let x = numbers();
    let standard = StandardScaler::fit(&x).unwrap();
    let z = standard.transform(&x).unwrap();
    let expected = [
        -1.0690449676496978,
        -1.224744871391589,
        0.0,
        1.2038309650886394, //
        -0.2672612419124245,
        1.224744871391589,
        0.0,
        -1.2446387944136779, //
        1.3363062095621219,
        0.0,
        0.0,
        0.04080782932503863,
    ];
    close(&z, &expected, 1e-14);
    assert_eq!((z.dtype(), standard.constant()), (DType::F64, &[2][..]));
    close(
        &standard.inverse_transform(&z).unwrap(),
        &x.to_vec::<f64>().unwrap(),
        1e-14,
    );

    let range = MinMaxScaler::fit(&x, -1.0..=3.0).unwrap();
    let z = range.transform(&x).unwrap();
    let expected = [
        -1.0,
        -1.0,
        -1.0,
        3.0, //
        1.0 / 3.0,
        3.0,
        -1.0,
        -1.0, //
        3.0,
        1.0,
        -1.0,
        1.1,
    ];
    close(&z, &expected, 1e-14);
    assert_eq!((range.data_min()[3], range.data_max()[3]), (-5.0, 5.0));
    assert_eq!(range.constant(), [2]);
    close(
        &range.inverse_transform(&z).unwrap(),
        &x.to_vec::<f64>().unwrap(),
        1e-14,
    );
    // The smallest and the largest number come to the ends exactly.
    let x = Tensor::from_vec([0.1, 0.7, 0.3], [3, 1]).unwrap();
    let unit = MinMaxScaler::fit(&x, 0.0..=1.0)
        .unwrap()
        .transform(&x)
        .unwrap();
    assert_eq!(unit.to_vec::<f64>().unwrap()[..2], [0.0, 1.0]);
}

/// A column without variance that becomes NaN, or is stretched by what rounding leaves of it.
#[test]
fn constant_columns_become_zero() {
    for dtype in [DType::F32, DType::F64] {
        let rows: Vec<f64> = (0..1000)
            .flat_map(|i| [0.1, f64::from(i), 1e9 + 0.1])
            .collect();
        let x = Tensor::from_vec(rows, [1000, 3])
            .unwrap()
            .to_dtype(dtype)
            .unwrap();
        let scaler = StandardScaler::fit(&x).unwrap();
        let z = scaler.transform(&x).unwrap();
        assert_eq!((scaler.constant(), z.dtype()), (&[0, 2][..], dtype));
        let z: Vec<f64> = z.to_vec().unwrap();
        assert!(
            z.chunks(3)
                .all(|row| row[0] == 0.0 && row[2] == 0.0 && row[1].is_finite())
        );
    }
}

/// NaN that is computed with, or a message that does not say where it is.
#[test]
fn what_has_no_scale_is_refused() {
    let bad = Tensor::from([[1.0, 2.0], [3.0, f64::NAN]]);
    let words = "row 1, column 1 (counted from 0) holds NaN, which is no finite number";
    let good = Tensor::from([[1.0, 2.0], [3.0, 5.0]]);
    let scaler = StandardScaler::fit(&good).unwrap();
    for error in [
        StandardScaler::fit(&bad).unwrap_err(),
        MinMaxScaler::fit(&bad, 0.0..=1.0).unwrap_err(),
        scaler.transform(&bad).unwrap_err(),
    ] {
        assert!(error.to_string().contains(words), "{error}");
    }
    let error = scaler.transform(&Tensor::zeros([2, 3])).unwrap_err();
    assert!(
        error.to_string().contains("fitted to 2 columns, got 3"),
        "{error}"
    );
    for wrong in [
        Tensor::zeros([0, 2]),
        Tensor::zeros([2]),
        Tensor::from([[1, 2]]),
    ] {
        assert!(StandardScaler::fit(&wrong).is_err());
    }
    let large = Tensor::from_vec([1e200, -1e200], [2, 1]).unwrap();
    let error = StandardScaler::fit(&large).unwrap_err().to_string();
    assert!(
        error.contains("column 0") && error.contains("divide them"),
        "{error}"
    );
    for range in [1.0..=1.0, 2.0..=1.0, f64::NAN..=1.0, 0.0..=f64::INFINITY] {
        assert_eq!(
            MinMaxScaler::fit(&good, range).unwrap_err().kind(),
            Kind::Value
        );
    }
}

const LABELS: [i64; 20] = [5, 5, 1, 1, 1, 1, 1, 2, 2, 2, 2, 2, 2, 9, 9, 9, 5, 5, 9, 9];

/// Other samples than scikit-learn takes.
#[test]
fn samples_are_divided_for_testing() {
    let split = |n, size, seed, labels| train_test_split(n, size, seed, labels).unwrap();
    let (train, test) = split(13, 0.4, 123, None);
    assert_eq!(
        (train, test),
        (vec![8, 11, 3, 1, 6, 12, 2], vec![7, 10, 4, 0, 5, 9])
    );
    for (seed, train, test) in [
        (
            0,
            [3, 7, 9, 15, 4, 16, 8, 18, 0, 14, 17, 11, 2],
            [19, 6, 1, 12, 13, 10, 5],
        ),
        (
            1,
            [16, 11, 13, 17, 4, 12, 3, 0, 18, 14, 6, 7, 9],
            [8, 10, 2, 1, 19, 15, 5],
        ),
        (
            2,
            [6, 4, 19, 1, 17, 3, 13, 12, 11, 0, 7, 8, 15],
            [14, 5, 18, 10, 16, 9, 2],
        ),
    ] {
        let parts = split(20, 0.35, seed, Some(&LABELS));
        assert_eq!(parts, (train.to_vec(), test.to_vec()), "{seed}");
    }
    for (n, size, labels) in [
        (10, 0.0, None),
        (10, 1.0, None),
        (10, f64::NAN, None),
        (1, 0.5, None),
        (0, 0.5, None),
        (4, 0.5, Some(&[1, 1, 2][..])),
        (3, 0.5, Some(&[1, 1, 2])),
        (6, 0.2, Some(&[1, 1, 2, 2, 3, 3])),
    ] {
        let error = train_test_split(n, size, 0, labels).unwrap_err();
        assert_eq!(error.kind(), Kind::Value, "{n} {size}");
    }
}

/// Other parts than scikit-learn's, or a sample that is in two of them.
#[test]
fn samples_are_divided_into_parts() {
    let parts = |folds: Vec<(Vec<usize>, Vec<usize>)>| {
        for (train, test) in &folds {
            let mut all = [&train[..], test].concat();
            all.sort();
            assert_eq!(all, (0..20).collect::<Vec<_>>());
        }
        let tests = folds.into_iter().map(|(_, test)| test);
        tests.collect::<Vec<_>>()
    };
    let mixed = KFold::new(4).shuffle(8).split(20).unwrap();
    let expected = [
        [6, 7, 11, 15, 18],
        [1, 2, 4, 12, 13],
        [0, 8, 14, 16, 19],
        [3, 5, 9, 10, 17],
    ];
    assert_eq!(parts(mixed), expected);
    let mixed = StratifiedKFold::new(4).shuffle(11).split(&LABELS).unwrap();
    let expected = [
        [3, 6, 10, 16, 19],
        [2, 11, 12, 17, 18],
        [0, 5, 7, 8, 13],
        [1, 4, 9, 14, 15],
    ];
    assert_eq!(parts(mixed), expected);
    let plain = StratifiedKFold::new(4).split(&LABELS).unwrap();
    let expected = [
        [0, 2, 3, 7, 13],
        [1, 4, 8, 9, 14],
        [5, 10, 11, 15, 16],
        [6, 12, 17, 18, 19],
    ];
    assert_eq!(parts(plain), expected);
    for k in [0, 1, 21] {
        assert!(KFold::new(k).split(20).is_err());
        assert!(StratifiedKFold::new(k).split(&LABELS).is_err());
    }
    assert!(StratifiedKFold::new(2).split(&[]).is_err());
}

/// Other points than PyTorch's for the same seed.
#[test]
fn the_points_about_a_line_are_those_of_the_book() {
    let (x, y) = synthetic_regression(&[2.0, -3.4], 4.2, 0.01, 40, 3).unwrap();
    assert_eq!((x.dtype(), y.shape()), (DType::F32, &[40, 1][..]));
    let last = |t: &Tensor| t.narrow(0, 38, 2).unwrap();
    close(&last(&y), &[5.626531600952148, 8.815598487854004], 2e-6);
    let expected = [-0.8977332711219788, -1.887571930885315];
    close(&x.select(0, 39).unwrap(), &expected, 1e-6);
    for (w, noise) in [(&[][..], 0.1), (&[1.0], -1.0), (&[1.0], f64::NAN)] {
        assert!(synthetic_regression(w, 0.0, noise, 10, 0).is_err());
    }
}

/// A model whose rows go through another scaler when it is used than when it was trained.
#[test]
fn scalers_come_back_from_a_file_with_the_same_bits() {
    let x = numbers();
    let bits = |z: gradus::Result<Tensor>| {
        let z: Vec<f64> = z.unwrap().to_vec().unwrap();
        z.into_iter().map(f64::to_bits).collect::<Vec<_>>()
    };
    let standard = StandardScaler::fit(&x).unwrap();
    let text = toml::to_string(&standard).unwrap();
    let back: StandardScaler = toml::from_str(&text).unwrap();
    assert_eq!(bits(back.transform(&x)), bits(standard.transform(&x)));
    assert_eq!(back.constant(), [2]);

    let range = MinMaxScaler::fit(&x, -1.0..=3.0).unwrap();
    let text = serde_json::to_string(&range).unwrap();
    let back: MinMaxScaler = serde_json::from_str(&text).unwrap();
    assert_eq!(bits(back.transform(&x)), bits(range.transform(&x)));
    assert_eq!(
        (back.data_max(), back.constant()),
        (range.data_max(), &[2][..])
    );
}

/// A file that was changed by hand and gives NaN, or a panic.
#[test]
fn saved_figures_that_are_no_scaler_are_refused() {
    for text in [
        "mean = [0.0]\nscale = [1.0, 1.0]\nconstant = []",
        "mean = [nan]\nscale = [1.0]\nconstant = []",
        "mean = [0.0]\nscale = [0.0]\nconstant = []",
        "mean = [0.0]\nscale = [inf]\nconstant = []",
        "mean = [0.0]\nscale = [1.0]\nconstant = [1]",
    ] {
        let error = toml::from_str::<StandardScaler>(text).unwrap_err();
        assert!(error.to_string().contains("for each column"), "{error}");
    }
    for (text, expected) in [
        (
            "range = [0.0, 1.0]\nmin = [0.0]\nmax = []",
            "for each column",
        ),
        ("range = [0.0, 1.0]\nmin = [2.0]\nmax = [1.0]", "not less"),
        ("range = [0.0, 1.0]\nmin = [nan]\nmax = [1.0]", "not less"),
        ("range = [0.0, 1.0]\nmin = [0.0]\nmax = [inf]", "not finite"),
        (
            "range = [1.0, 1.0]\nmin = [0.0]\nmax = [1.0]",
            "to a larger one",
        ),
    ] {
        let error = toml::from_str::<MinMaxScaler>(text).unwrap_err();
        assert!(error.to_string().contains(expected), "{error}");
    }
}
