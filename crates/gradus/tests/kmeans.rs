//! K-means beside figures of others, beside a naive one, and with everything that can be wrong.

use gradus::cluster::{FittedKMeans, Init, KMeans, MiniBatchKMeans, choose, kmeans::Algorithm};
use gradus::data::{self, Blobs};
use gradus::nearest::Points;
use gradus::random::{Compat, Generator};
use gradus::{DType, Kind, Tensor, set_num_threads};
use std::ops::ControlFlow;

fn golden() -> serde_json::Value {
    serde_json::from_str(include_str!("fixtures/kmeans_blobs.json")).unwrap()
}

fn numbers(json: &serde_json::Value) -> Vec<f64> {
    match json {
        serde_json::Value::Array(list) => list.iter().flat_map(numbers).collect(),
        number => vec![number.as_f64().unwrap()],
    }
}

fn close(a: &[f64], b: &[f64], tolerance: f64) {
    assert_eq!(a.len(), b.len());
    for (x, y) in a.iter().zip(b) {
        assert!(
            (x - y).abs() <= tolerance * (1.0 + y.abs()),
            "{x} instead of {y}"
        );
    }
}

const SETS: [(&str, &str); 4] = [
    ("incorrect_number_of_blobs", "blobs"),
    ("anisotropic_blobs", "anisotropic"),
    ("unequal_variance", "varied"),
    ("unevenly_sized_blobs", "uneven"),
];

/// Points that are not scikit-learn's, or clusters that are not those of the exercise.
#[test]
fn golden_figures() {
    let golden = golden();
    for (name, ours) in SETS {
        let (x, _) = data::demo(ours, 1500, 170).unwrap();
        let rows = numbers(&golden["first_rows"][name]);
        close(&x.to_vec::<f64>().unwrap()[..rows.len()], &rows, 1e-14);
    }
    let runs = golden["runs"].as_array().unwrap();
    assert_eq!(runs.len(), 12);
    for run in runs {
        let name = SETS.iter().find(|s| run["dataset"] == s.0).unwrap().1;
        let (x, _) = data::demo(name, 1500, 170).unwrap();
        let n = x.shape()[0];
        let k = run["k"].as_u64().unwrap() as usize;
        let seed = run["random_state"].as_u64().unwrap();
        let first = Generator::compat(seed, Compat::Numpy)
            .choice(n, k, false)
            .unwrap();
        let expected = numbers(&run["init_indices"]);
        assert!(first.iter().zip(expected).all(|(&a, b)| a as f64 == b));
        for algorithm in [Algorithm::Auto, Algorithm::Lloyd, Algorithm::Hamerly] {
            let fitted = KMeans::new(k)
                .init(Init::Random)
                .n_init(1)
                .tol(0.0)
                .random_state(seed)
                .compat(Compat::Numpy)
                .algorithm(algorithm)
                .fit(&x)
                .unwrap();
            close(
                &fitted.cluster_centers.to_vec::<f64>().unwrap(),
                &numbers(&run["centers"]),
                1e-10,
            );
            let sizes: Vec<f64> = fitted.sizes().unwrap().iter().map(|&s| s as f64).collect();
            assert_eq!(sizes, numbers(&run["sizes"]));
            close(
                &[fitted.inertia],
                &[run["inertia"].as_f64().unwrap()],
                1e-10,
            );
            assert_eq!(fitted.n_iter as u64, run["iterations"].as_u64().unwrap());
            assert!(fitted.converged);
        }
    }
}

/// Sets whose points or order are not scikit-learn's (figures of its version 1.9.1).
#[test]
#[rustfmt::skip]
fn sets_are_scikit_learns() {
    let (x, y) = data::make_moons(7, 0.05, 3).unwrap();
    close(&x.to_vec::<f64>().unwrap(), &[
        0.5490276935145441, -0.3646744516947124, 1.9769978939668658, 0.4971039579702821, 1.6038787068556413,
        -0.3960910275938952, 0.04696181946621553, 0.44097956922112, -0.017366508779560662, 1.0033149366756813,
        0.9186207360396559, 0.01989429300622796, -1.081457871429181, -0.031946776259499245,
    ], 1e-14);
    assert_eq!(y.to_vec::<i64>().unwrap(), [1, 1, 1, 1, 0, 0, 0]);
    let (x, y) = data::make_circles(7, 0.05, 0.5, 3).unwrap();
    close(&x.to_vec::<f64>().unwrap(), &[
        0.04902769351454419, 0.5013509520897262, -0.023002106033134274, -0.5028960420297178, -0.39612129314435857,
        -0.03006562380945642, 0.5469618194662156, -0.05902043077887997, -0.5173665087795605, 0.86934034046012,
        0.9186207360396559, 0.01989429300622796, -0.5814578714291813, -0.8979721800439378,
    ], 1e-14);
    assert_eq!(y.to_vec::<i64>().unwrap(), [1, 1, 1, 1, 0, 0, 0]);
    let (x, y) = Blobs::new(7).centers(2).features(3).random_state(5).make().unwrap();
    close(&x.to_vec::<f64>().unwrap()[..6], &[
        -6.752901190627016, 7.20976961295994, -6.224445840212715, -6.151773236135498, 7.602249349384563,
        -6.195486850990831,
    ], 1e-14);
    assert_eq!(y.to_vec::<i64>().unwrap(), [0, 0, 0, 1, 0, 1, 1]);
}

/// A k-means++ that draws otherwise than `sklearn.cluster.kmeans_plusplus(x, 8, random_state=42)`.
#[test]
fn first_centres_are_scikit_learns() {
    let (x, _) = data::demo("blobs", 1500, 170).unwrap();
    let chosen = Tensor::from([561, 1425, 1302, 20, 485, 796, 551, 314]);
    let chosen = x.index_select(0, &chosen).unwrap();
    let model = KMeans::new(8)
        .max_iter(1)
        .random_state(42)
        .compat(Compat::Numpy);
    let drawn = model.fit(&x).unwrap();
    let given = model.init(Init::Centers(chosen)).fit(&x).unwrap();
    assert_eq!(bits(&drawn), bits(&given));
}

/// Lloyd's algorithm, word for word; none if a centre loses all its points.
fn naive(x: &[Vec<f64>], mut centres: Vec<Vec<f64>>) -> Option<(Vec<i64>, Vec<Vec<f64>>)> {
    let square =
        |a: &[f64], b: &[f64]| -> f64 { a.iter().zip(b).map(|(a, b)| (a - b) * (a - b)).sum() };
    let nearest = |x: &[f64], centres: &[Vec<f64>]| {
        let mut best = 0;
        for c in 1..centres.len() {
            if square(x, &centres[c]) < square(x, &centres[best]) {
                best = c;
            }
        }
        best
    };
    loop {
        let labels: Vec<usize> = x.iter().map(|x| nearest(x, &centres)).collect();
        let old = centres.clone();
        for (c, centre) in centres.iter_mut().enumerate() {
            let mine: Vec<&Vec<f64>> = x
                .iter()
                .zip(&labels)
                .filter(|(_, l)| **l == c)
                .map(|(x, _)| x)
                .collect();
            if mine.is_empty() {
                return None;
            }
            for (j, m) in centre.iter_mut().enumerate() {
                *m = mine.iter().map(|x| x[j]).sum::<f64>() / mine.len() as f64;
            }
        }
        if old == centres {
            break;
        }
    }
    let labels = x.iter().map(|x| nearest(x, &centres) as i64).collect();
    Some((labels, centres))
}

/// A set of n points.
fn random_points(n: usize, d: usize, k: usize) -> Tensor {
    let blobs = Blobs::new(n).centers(k).features(d).std(&[2.0]);
    blobs.random_state(n as u64).make().unwrap().0
}

/// A set of n points, and k of them to begin with.
fn random_set(n: usize, d: usize, k: usize) -> (Tensor, Tensor) {
    let x = random_points(n, d, k);
    let start = x.narrow(0, 0, k).unwrap();
    (x, start)
}

/// Every way of computing distances (differences, packed products, rows), the ragged ends of blocks,
/// and bounds that keep a point from its centre.
#[test]
fn labels_are_those_of_a_naive_loop() {
    for (n, d, k) in [
        (500, 1, 3),
        (1000, 2, 8),
        (2085, 3, 5),
        (700, 8, 13),
        (999, 9, 4),
        (640, 16, 33),
        (300, 64, 9),
        (400, 65, 10),
        (130, 200, 7),
    ] {
        let x = random_points(n, d, k);
        let (start, (labels, centres)) = (0..n - k)
            .find_map(|first| {
                let start = x.narrow(0, first, k).unwrap();
                let found = naive(&x.to_vec2().unwrap(), start.to_vec2().unwrap())?;
                Some((start, found))
            })
            .unwrap();
        for algorithm in [Algorithm::Auto, Algorithm::Lloyd, Algorithm::Hamerly] {
            let fitted = KMeans::new(k)
                .init(Init::Centers(start.clone()))
                .tol(0.0)
                .algorithm(algorithm)
                .fit(&x)
                .unwrap();
            assert_eq!(
                fitted.labels.to_vec::<i64>().unwrap(),
                labels,
                "{n}×{d}, k = {k}, {algorithm:?}"
            );
            close(
                &fitted.cluster_centers.to_vec::<f64>().unwrap(),
                &centres.concat(),
                1e-11,
            );
            assert_eq!(fitted.predict(&x).unwrap().to_vec::<i64>().unwrap(), labels);
            close(&[-fitted.score(&x).unwrap()], &[fitted.inertia], 1e-12);
            // The nearest centre is that with the least distance.
            let distances = fitted.transform(&x).unwrap();
            assert_eq!(
                distances.argmin(1).unwrap().to_vec::<i64>().unwrap(),
                labels
            );
        }
        // In f32 the clusters are the same but for points that are nearly as near to another centre.
        let x32 = x.to_dtype(DType::F32).unwrap();
        let fitted = KMeans::new(k)
            .init(Init::Centers(start.clone()))
            .tol(0.0)
            .fit(&x32)
            .unwrap();
        let exact = KMeans::new(k)
            .init(Init::Centers(start))
            .tol(0.0)
            .fit(&x)
            .unwrap();
        close(&[fitted.inertia], &[exact.inertia], 1e-3);
        assert_eq!(fitted.cluster_centers.dtype(), DType::F32);
    }
}

/// A point that bounds keep from a centre which the scores would have given it to, be it by rounding
/// alone: after every step the labels are those of a look at all distances.
#[test]
fn bounds_leave_every_label_as_scores_have_it() {
    let mut g = Generator::new(5);
    let mut skipped = 0;
    for (n, d, k) in [
        (3000, 2, 9),
        (3000, 8, 40),
        (2500, 9, 20),
        (2500, 33, 8),
        (1500, 100, 12),
    ] {
        // Blobs; whole numbers, whose distances tie; and points far from 0, which rounding hits most.
        let blobs = random_points(n, d, k);
        let whole: Vec<f64> = (0..n * d).map(|_| g.below(4) as f64).collect();
        let whole = Tensor::from_vec(whole, [n, d]).unwrap();
        let far = blobs.add(3000.0).unwrap();
        for x in [blobs, whole, far] {
            for x in [x.to_dtype(DType::F32).unwrap(), x] {
                let weights: Vec<f64> = (0..n).map(|i| (i % 3) as f64).collect();
                let weights = Tensor::from_vec(weights, [n]).unwrap();
                let points = Points::new(&x, Some(&weights)).unwrap();
                let mut memory = points.memory(k).unwrap();
                let mut centres: Vec<f64> = x.narrow(0, 7, k).unwrap().to_vec().unwrap();
                for step in 0..30 {
                    let mut labels = vec![0; n];
                    let all = points.assign(&centres, &mut labels).unwrap();
                    let sums = points.step(&centres, &mut memory).unwrap();
                    assert!(
                        labels == memory.labels(),
                        "{n}×{d}, k = {k}, {}, step {step}",
                        x.dtype()
                    );
                    close(&sums.weights, &all.weights, 1e-12);
                    let precise = if x.dtype() == DType::F32 { 1e-3 } else { 1e-9 };
                    close(&sums.means, &all.means, precise);
                    skipped += n - memory.looked;
                    centres = sums.means;
                    if step == 20 {
                        // A leap, as when a centre without points is put elsewhere.
                        centres[..d].copy_from_slice(&points.point(3).unwrap());
                    }
                }
            }
        }
    }
    assert!(skipped > 1_000_000, "the bounds told little: {skipped}");
}

/// Integers, whose distances tie: the first centre wins, as written.
#[test]
fn ties_go_to_the_first_centre() {
    let x = Tensor::from([[0.0, 0.0], [2.0, 0.0], [4.0, 0.0]]);
    let start = Tensor::from([[0.0, 0.0], [4.0, 0.0]]);
    let fitted = KMeans::new(2)
        .init(Init::Centers(start))
        .max_iter(1)
        .fit(&x)
        .unwrap();
    assert_eq!(
        fitted.cluster_centers.to_vec::<f64>().unwrap(),
        [1.0, 0.0, 4.0, 0.0]
    );
}

fn bits(fitted: &FittedKMeans) -> (Vec<u64>, Vec<i64>, u64, usize) {
    let centres = fitted.cluster_centers.to_vec::<f64>().unwrap();
    (
        centres.iter().map(|x| x.to_bits()).collect(),
        fitted.labels.to_vec().unwrap(),
        fitted.inertia.to_bits(),
        fitted.n_iter,
    )
}

/// Sums whose order depends on who was there to form them.
#[test]
fn threads_do_not_change_a_bit() {
    for (n, d, k) in [(20_000, 2, 8), (9000, 16, 20), (5000, 100, 6)] {
        let (x, _) = random_set(n, d, k);
        let weights =
            Tensor::from_vec((0..n).map(|i| (i % 5) as f64).collect::<Vec<_>>(), [n]).unwrap();
        for x in [x.to_dtype(DType::F32).unwrap(), x] {
            for algorithm in [Algorithm::Lloyd, Algorithm::Hamerly] {
                let fit = |threads| {
                    set_num_threads(threads);
                    let model = KMeans::new(k)
                        .random_state(3)
                        .max_iter(6)
                        .algorithm(algorithm);
                    (
                        bits(&model.fit(&x).unwrap()),
                        bits(&model.fit_weighted(&x, &weights).unwrap()),
                    )
                };
                let one = fit(1);
                assert!(one == fit(2) && one == fit(3), "{n}×{d}, {algorithm:?}");
            }
        }
    }
    set_num_threads(2);
}

/// A weight that counts otherwise than repeating the point.
#[test]
fn weights_are_repeated_points() {
    for d in [2, 12, 70] {
        let (x, start) = random_set(300, d, 4);
        let weights: Vec<i64> = (0..300).map(|i| i % 4).collect();
        let repeated: Vec<i64> = (0..300)
            .flat_map(|i| std::iter::repeat_n(i, weights[i as usize] as usize))
            .collect();
        let len = repeated.len();
        let many = x
            .index_select(0, &Tensor::from_vec(repeated, [len]).unwrap())
            .unwrap();
        let weights = Tensor::from_vec(weights, [300])
            .unwrap()
            .to_dtype(DType::F64)
            .unwrap();
        for algorithm in [Algorithm::Lloyd, Algorithm::Hamerly] {
            let model = KMeans::new(4)
                .init(Init::Centers(start.clone()))
                .tol(0.0)
                .algorithm(algorithm);
            let (a, b) = (
                model.fit_weighted(&x, &weights).unwrap(),
                model.fit(&many).unwrap(),
            );
            close(
                &a.cluster_centers.to_vec::<f64>().unwrap(),
                &b.cluster_centers.to_vec::<f64>().unwrap(),
                1e-11,
            );
            close(&[a.inertia], &[b.inertia], 1e-11);
            assert_eq!(a.n_iter, b.n_iter);
        }
    }
}

/// A cluster that has lost its points, in scikit-learn's way: it goes to the farthest point.
#[test]
fn empty_clusters_take_the_farthest_point() {
    let x = Tensor::from([[0.0], [1.0], [2.0], [100.0], [101.0]]);
    for algorithm in [Algorithm::Lloyd, Algorithm::Hamerly] {
        let start = Tensor::from([[1.0], [5000.0], [-5000.0]]);
        let model = KMeans::new(3)
            .init(Init::Centers(start))
            .algorithm(algorithm)
            .tol(0.0);
        let fitted = model.fit(&x).unwrap();
        assert!(
            fitted.sizes().unwrap().iter().all(|&s| s > 0),
            "{:?}",
            fitted.sizes()
        );
        assert!(
            fitted
                .cluster_centers
                .to_vec::<f64>()
                .unwrap()
                .iter()
                .all(|c| c.is_finite())
        );
        assert!(fitted.inertia < 3.0);
    }
}

/// NaN centres, or a search without end, where points are fewer than clusters.
#[test]
fn equal_points_and_duplicates_have_results() {
    for n in [4, 5000] {
        for distinct in [1, 2, 3] {
            let rows: Vec<f64> = (0..n)
                .flat_map(|i| [(i % distinct) as f64 * 3.0, 7.0])
                .collect();
            for init in [Init::KMeansPlusPlus, Init::Random] {
                for algorithm in [Algorithm::Lloyd, Algorithm::Hamerly] {
                    let x = Tensor::from_vec(&rows, [n, 2]).unwrap();
                    let model = KMeans::new(4)
                        .init(init.clone())
                        .algorithm(algorithm)
                        .random_state(1);
                    let fitted = model.fit(&x).unwrap();
                    assert_eq!(fitted.inertia, 0.0, "{n} points, {distinct} different");
                    assert!(
                        fitted
                            .cluster_centers
                            .to_vec::<f64>()
                            .unwrap()
                            .iter()
                            .all(|c| c.is_finite())
                    );
                }
            }
        }
    }
}

/// Input that is wrong and is computed with, or a message that does not say where.
#[test]
fn bad_input_is_one_clear_error() {
    let good = Tensor::from([[0.0, 1.0], [2.0, 3.0]]);
    let fails = |model: KMeans, x: &Tensor| {
        let error = model.fit(x).unwrap_err();
        (error.kind(), error.to_string())
    };
    for (model, word) in [
        (KMeans::new(0), "n_clusters"),
        (KMeans::new(3), "3 clusters of 2 points"),
        (KMeans::new(1).max_iter(0), "max_iter"),
        (KMeans::new(1).n_init(0), "n_init"),
        (KMeans::new(1).tol(-1.0), "tol"),
        (KMeans::new(1).tol(f64::NAN), "tol"),
    ] {
        let (kind, message) = fails(model, &good);
        assert!(kind == Kind::Value && message.contains(word), "{message}");
    }
    for odd in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
        let x = Tensor::from([[0.0, 1.0], [2.0, odd]]);
        let (kind, message) = fails(KMeans::new(1), &x);
        assert!(
            kind == Kind::Value && message.contains("row 1, column 1"),
            "{message}"
        );
    }
    let empty = Tensor::zeros([0, 2]);
    assert!(fails(KMeans::new(1), &empty).1.contains("there are none"));
    assert_eq!(fails(KMeans::new(1), &Tensor::ones([3])).0, Kind::Shape);
    assert_eq!(
        fails(KMeans::new(1), &Tensor::from([[1, 2]])).0,
        Kind::DType
    );
    assert!(
        fails(
            KMeans::new(1),
            &Tensor::from([[1e30], [0.0]]).to_dtype(DType::F32).unwrap()
        )
        .1
        .contains("large")
    );
    let start = |t| fails(KMeans::new(2).init(Init::Centers(t)), &good);
    assert_eq!(start(Tensor::ones([2, 3])).0, Kind::Shape);
    assert_eq!(
        start(Tensor::from([[0.0, f64::NAN], [1.0, 1.0]])).0,
        Kind::Value
    );
    for weights in [
        Tensor::from([1.0]),
        Tensor::from([1.0, -1.0]),
        Tensor::from([0.0, 0.0]),
        Tensor::from([1.0, f64::NAN]),
    ] {
        assert!(KMeans::new(1).fit_weighted(&good, &weights).is_err());
    }
    let fitted = KMeans::new(1).fit(&good).unwrap();
    assert_eq!(
        fitted.predict(&Tensor::ones([2, 3])).unwrap_err().kind(),
        Kind::Shape
    );
}

/// An offset that drowns the distances in rounding.
#[test]
fn an_offset_does_not_change_the_clusters() {
    for d in [2, 20, 100] {
        let (x, start) = random_set(600, d, 5);
        let fit = |offset: f64| {
            let [x, start] =
                [&x, &start].map(|t| t.add(offset).unwrap().to_dtype(DType::F32).unwrap());
            KMeans::new(5)
                .init(Init::Centers(start))
                .tol(0.0)
                .fit(&x)
                .unwrap()
                .labels
                .to_vec::<i64>()
                .unwrap()
        };
        let (near, far) = (fit(0.0), fit(10_000.0));
        let other = near.iter().zip(&far).filter(|(a, b)| a != b).count();
        assert!(other <= 6, "{other} of 600 labels in {d} dimensions");
    }
}

/// A listener that is not told, or cannot stop.
#[test]
fn listeners_see_every_iteration_and_can_stop() {
    let (x, start) = random_set(500, 2, 6);
    let mut inertias = Vec::new();
    let lloyd = Algorithm::Lloyd;
    let model = KMeans::new(6)
        .init(Init::Centers(start))
        .tol(0.0)
        .algorithm(lloyd);
    let fitted = model.fit_with(&x, None, |step| {
        assert_eq!(
            (step.iteration, step.run, step.n_init),
            (inertias.len() + 1, 0, 1)
        );
        inertias.push(step.inertia.unwrap());
        ControlFlow::Continue(())
    });
    let fitted = fitted.unwrap();
    assert_eq!(inertias.len(), fitted.n_iter);
    assert!(
        inertias.windows(2).all(|w| w[1] <= w[0] * (1.0 + 1e-12)),
        "{inertias:?}"
    );
    close(&[*inertias.last().unwrap()], &[fitted.inertia], 1e-9);
    let stopped = model
        .fit_with(&x, None, |_| ControlFlow::Break(()))
        .unwrap();
    assert!(stopped.stopped && stopped.n_iter == 1 && !stopped.converged);
    assert_eq!(
        stopped.predict(&x).unwrap().to_vec::<i64>().unwrap(),
        stopped.labels.to_vec::<i64>().unwrap()
    );
}

/// A centre far from all points that stays there.
#[test]
fn small_batches_bring_a_lost_centre_back() {
    let (x, _) = Blobs::new(3000).random_state(4).make().unwrap();
    let start = Tensor::from([[0.0, 0.0], [1.0, 1.0], [1e6, 1e6]]);
    let model = MiniBatchKMeans::new(3)
        .init(Init::Centers(start))
        .random_state(2);
    let kept = model.clone().reassignment_ratio(0.0).fit(&x).unwrap();
    assert!(kept.sizes().unwrap().contains(&0));
    let mut batches = 0;
    let fitted = model.fit_with(&x, |step| {
        batches = step.iteration;
        ControlFlow::Continue(())
    });
    let fitted = fitted.unwrap();
    assert_eq!(fitted.n_iter, batches);
    assert!(fitted.sizes().unwrap().iter().all(|&n| n > 0));
    assert!(fitted.inertia < kept.inertia);
}

/// Batches that leave the centres where they were.
#[test]
fn small_batches_come_near_the_whole() {
    let (x, _) = Blobs::new(5000).centers(5).random_state(4).make().unwrap();
    let whole = KMeans::new(5).n_init(5).random_state(0).fit(&x).unwrap();
    let mini = MiniBatchKMeans::new(5)
        .batch_size(256)
        .random_state(1)
        .fit(&x)
        .unwrap();
    assert!(
        mini.inertia < 1.1 * whole.inertia,
        "{} and {}",
        mini.inertia,
        whole.inertia
    );
    let mut stream = MiniBatchKMeans::new(5).random_state(1);
    for i in 0..10 {
        stream
            .partial_fit(&x.narrow(0, i * 500, 500).unwrap())
            .unwrap();
    }
    assert!(stream.partial_fit(&Tensor::ones([5, 3])).is_err());
    assert!(
        stream
            .cluster_centers()
            .unwrap()
            .unwrap()
            .to_vec::<f64>()
            .unwrap()
            .iter()
            .all(|c| c.is_finite())
    );
    assert!(
        MiniBatchKMeans::new(0).fit(&x).is_err()
            && MiniBatchKMeans::new(1).batch_size(0).fit(&x).is_err()
    );
}

/// Curves that suggest another number than there are, where it is plain to see.
#[test]
fn the_number_of_clusters_is_found() {
    let (x, _) = Blobs::new(600)
        .centers(4)
        .std(&[0.6])
        .random_state(2)
        .make()
        .unwrap();
    let model = KMeans::new(1).n_init(4).random_state(0);
    let elbow = choose::elbow(&x, 1..=9, &model).unwrap();
    let silhouette = choose::silhouette(&x, 1..=9, &model).unwrap();
    let gap = choose::gap(&x, 1..=9, &model).unwrap();
    for choice in [&elbow, &silhouette, &gap] {
        assert_eq!(choice.k, 4, "{} {:?}", choice.words, choice.curve);
        assert!(choice.svg().contains("clusters"));
    }
    assert!(choose::elbow(&x, 0..=3, &model).is_err());
    let few = Tensor::from([[0.0], [1.0]]);
    assert_eq!(choose::elbow(&few, 1..=9, &model).unwrap().curve.len(), 2);
    assert!(choose::silhouette(&few.narrow(0, 0, 1).unwrap(), 2..=4, &model).is_err());
}
