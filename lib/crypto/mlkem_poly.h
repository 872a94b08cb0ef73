/* crypto/mlkem_poly.h - the polynomials of ML-KEM (FIPS 203 4.2, 4.3). No include guard, and code,
 * not declarations: mlkem_poly_*.c include this once each, after they have said how their table is
 * called (MLKEM_POLY_OPS), and are compiled for the instructions that they may use.
 *
 * Constant time: no branch, no index and no division depends on a coefficient; what leaks is that
 * an encoded key was not reduced, and which candidates of the matrix were rejected, which are
 * public. Written as vectors of sixteen numbers, which compilers make of whatever vectors there
 * are; what C has no operator for is an intrinsic. Where valgrind 3.19 cannot look (AVX-512), the
 * lines are AVX2's but for sample_uniform's, which see nothing but the public matrix.
 */
#include "crypto/mlkem_bytes.h"
#include "crypto/mlkem_ring.h"
#include "crypto/mlkem_sample.h"

const struct cl_poly_ops MLKEM_POLY_OPS = {
    .ntt = ntt,
    .inv_ntt = inv_ntt,
    .make_factor = make_factor,
    .multiply_sum = multiply_sum,
    .times_r = times_r,
    .add = add,
    .sub_from = sub_from,
    .encode = encode,
    .decode = decode,
    .compress = compress,
    .decompress = decompress,
    .sample_noise = sample_noise,
    .sample_uniform = sample_uniform,
};
