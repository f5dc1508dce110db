//! Just enough linear algebra: inverting a large symmetric matrix.

/// A square matrix by rows.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Matrix {
    size: usize,
    values: Vec<f32>,
}

/// Rows worked on at once: what they are multiplied with comes from memory once for all of them.
const BLOCK: usize = 32;
/// Partial sums that run side by side: as wide as a processor's registers, and always added up in the same order.
const LANES: usize = 8;

impl Matrix {
    pub(crate) fn zero(size: usize) -> Self {
        Self { size, values: vec![0.0; size * size] }
    }

    pub(crate) fn at(&self, row: usize, column: usize) -> f32 {
        self.values[row * self.size + column]
    }

    pub(crate) fn add(&mut self, row: usize, column: usize, value: f32) {
        self.values[row * self.size + column] += value;
    }

    /// The inverse of a symmetric positive definite matrix, of which only the lower half is looked at; None where it is
    /// not positive definite. Cost: size^3 multiplications; no memory beside the matrix and its result.
    pub(crate) fn inverse_of_positive_definite(mut self) -> Option<Self> {
        self.decompose()?;
        self.invert_lower();
        Some(self.square_of_transposed())
    }

    /// The lower half becomes Cholesky's L, of which the matrix is L L^T.
    fn decompose(&mut self) -> Option<()> {
        let size = self.size;
        for begin in (0..size).step_by(BLOCK) {
            let end = (begin + BLOCK).min(size);
            for row in begin..size {
                // Columns left of the block are done: take their share off, then solve within the block.
                let (above, rest) = self.values.split_at_mut(row * size);
                let this = &mut rest[..size];
                for column in begin..end.min(row + 1) {
                    if column == row {
                        let left = this[column] - dot(&this[..column], &this[..column]);
                        if left <= 0.0 || left.is_nan() {
                            return None;
                        }
                        this[column] = left.sqrt();
                    } else {
                        let other = &above[column * size..column * size + column];
                        let left = this[column] - dot(&this[..column], other);
                        this[column] = left / above[column * size + column];
                    }
                }
            }
        }
        Some(())
    }

    /// The lower half becomes the inverse of what it was, kept transposed in the upper half: rows are what is read.
    fn invert_lower(&mut self) {
        let size = self.size;
        // Column `column` of the inverse is row `column` of the upper half: x_i = (e_i - L[i][..i] . x[..i]) / L[i][i].
        let mut solved = vec![vec![0.0; size]; BLOCK];
        for begin in (0..size).step_by(BLOCK) {
            let end = (begin + BLOCK).min(size);
            for row in begin..size {
                let one = 1.0 / self.at(row, row);
                for (column, solved) in (begin..end.min(row + 1)).zip(&mut solved) {
                    solved[row] = if row == column {
                        one
                    } else {
                        -dot(&self.values[row * size + column..row * size + row], &solved[column..row]) * one
                    };
                }
            }
            // The diagonal is still needed by the columns to come: reciprocals are put in at the end.
            for (column, solved) in (begin..end).zip(&solved) {
                self.values[column * size + column + 1..(column + 1) * size].copy_from_slice(&solved[column + 1..]);
            }
        }
    }

    /// With U the upper half (and the reciprocals of the diagonal): U U^T, which is the inverse.
    fn square_of_transposed(mut self) -> Self {
        let size = self.size;
        for at in 0..size {
            self.values[at * size + at] = 1.0 / self.values[at * size + at];
        }
        let mut product = Self::zero(size);
        for begin in (0..size).step_by(BLOCK) {
            let end = (begin + BLOCK).min(size);
            for column in 0..end {
                for row in begin.max(column)..end {
                    let from = |at: usize| &self.values[at * size + row..(at + 1) * size];
                    let value = dot(from(row), from(column));
                    product.values[row * size + column] = value;
                    product.values[column * size + row] = value;
                }
            }
        }
        product
    }
}

/// Always summed in the same order: the same bits on every machine.
fn dot(a: &[f32], b: &[f32]) -> f32 {
    let mut lanes = [[0.0f32; LANES]; 4];
    let (mut a_wide, mut b_wide) = (a.chunks_exact(4 * LANES), b.chunks_exact(4 * LANES));
    for (a, b) in a_wide.by_ref().zip(b_wide.by_ref()) {
        for (lane, (a, b)) in lanes.iter_mut().zip(a.chunks_exact(LANES).zip(b.chunks_exact(LANES))) {
            for at in 0..LANES {
                lane[at] += a[at] * b[at];
            }
        }
    }
    let rest: f32 = a_wide.remainder().iter().zip(b_wide.remainder()).map(|(a, b)| a * b).sum();
    lanes.iter().flatten().sum::<f32>() + rest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_inverse_of_a_small_matrix_is_what_one_computes_by_hand() {
        let mut matrix = Matrix::zero(2);
        for (row, column, value) in [(0, 0, 4.0), (1, 0, 2.0), (1, 1, 3.0)] {
            matrix.add(row, column, value);
        }
        let inverse = matrix.inverse_of_positive_definite().expect("positive definite");
        for (row, column, expect) in [(0, 0, 0.375), (0, 1, -0.25), (1, 0, -0.25), (1, 1, 0.5)] {
            assert!((inverse.at(row, column) - expect).abs() < 1e-6, "{inverse:?}");
        }
    }

    #[test]
    fn a_matrix_times_its_inverse_is_one() {
        let size = 2 * BLOCK + 17;
        let mut matrix = Matrix::zero(size);
        for row in 0..size {
            for column in 0..=row {
                let value = if row == column { 20.0 } else { ((row * 31 + column * 17) % 13) as f32 / 26.0 };
                matrix.add(row, column, value);
            }
        }
        (0..size).for_each(|at| matrix.add(at, at, size as f32));
        let whole = |matrix: &Matrix, a: usize, b: usize| matrix.at(a.max(b), a.min(b));
        let inverse = matrix.clone().inverse_of_positive_definite().expect("dominated by its diagonal");
        for (row, column) in (0..size).flat_map(|row| [(row, row), (row, (row * 7) % size)]) {
            let product: f32 = (0..size).map(|at| whole(&matrix, row, at) * inverse.at(at, column)).sum();
            let expect = f32::from(u8::from(row == column));
            assert!((product - expect).abs() < 1e-3, "{row} {column}: {product}");
        }
    }

    #[test]
    fn what_has_no_inverse_gets_none() {
        assert_eq!(Matrix::zero(3).inverse_of_positive_definite(), None);
        assert_eq!(Matrix::zero(0).inverse_of_positive_definite(), Some(Matrix::zero(0)));
    }
}
