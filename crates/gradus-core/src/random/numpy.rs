//! NumPy's legacy stream: `numpy.random.seed` and `RandomState`, which NumPy has promised never to
//! change. Facts about it are in NumPy's documentation of legacy random generation and were checked
//! against NumPy 2.4.

use super::generator::Stream;
use rand_mt::Mt;

#[derive(Clone, Debug)]
pub(super) struct Numpy {
    bits: Mt,
    /// The polar method yields two normal numbers at a time; the second is kept, also between calls.
    spare: Option<f64>,
}

impl Numpy {
    pub(super) fn new(seed: u64) -> Self {
        let bits = match u32::try_from(seed) {
            Ok(seed) => Mt::new(seed),
            Err(_) => Mt::new_with_key([seed as u32, (seed >> 32) as u32]),
        };
        Self { bits, spare: None }
    }
}

impl Stream for Numpy {
    fn next_u64(&mut self) -> u64 {
        let high = u64::from(self.bits.next_u32());
        high << 32 | u64::from(self.bits.next_u32())
    }

    /// `random_sample`: 27 bits of one word and 26 of the next.
    fn uniform(&mut self) -> f64 {
        let high = u64::from(self.bits.next_u32() >> 5);
        let low = u64::from(self.bits.next_u32() >> 6);
        (high << 26 | low) as f64 / (1u64 << 53) as f64
    }

    /// `standard_normal`: Marsaglia's polar method; the second of the pair comes first.
    fn normal(&mut self) -> f64 {
        if let Some(spare) = self.spare.take() {
            return spare;
        }
        loop {
            let (x, y) = (2.0 * self.uniform() - 1.0, 2.0 * self.uniform() - 1.0);
            let square = x * x + y * y;
            if square < 1.0 && square != 0.0 {
                let factor = (-2.0 * square.ln() / square).sqrt();
                self.spare = Some(factor * x);
                return factor * y;
            }
        }
    }

    /// `randint(n)`: the lowest bits, as many as n − 1 has, until they are no more than n − 1. A
    /// word of 32 bits is drawn for each try if n − 1 fits, else one of 64.
    fn below(&mut self, n: u64) -> u64 {
        let last = n - 1;
        if last == 0 {
            return 0;
        }
        let mask = u64::MAX >> last.leading_zeros();
        loop {
            let word = match u32::try_from(last) {
                Ok(_) => self.bits.next_u32().into(),
                Err(_) => self.next_u64(),
            };
            if word & mask <= last {
                return word & mask;
            }
        }
    }

    fn shuffle<T>(&mut self, list: &mut [T]) {
        for i in (1..list.len()).rev() {
            list.swap(i, self.below(i as u64 + 1) as usize);
        }
    }
}
