// What this machine can do, by workload: hand-written loops on its widest vectors. The speed limit that the kernels are
// measured against; compiled on the spot by `python -m benchmarks` where there is a compiler.
// g++ -O3 -march=native -ffp-contract=off -fopenmp limit.cpp -o limit && ./limit WORKLOAD THREADS REPETITIONS   (prints the best rate, 1/s)
#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <map>
#include <omp.h>
#include <string>
#include <vector>
using u32 = uint32_t;
using u64 = uint64_t;
#if defined(__AVX512F__)
#include <immintrin.h>
typedef __m512i vec;
static const int W = 8, AHEAD = 6;  // 64-bit numbers in a vector; blocks that keep it busiest, as found by trying
static inline vec wide_mul(vec a, vec b) { return _mm512_mul_epu32(a, b); }
#elif defined(__AVX2__)
#include <immintrin.h>
typedef __m256i vec;
static const int W = 4, AHEAD = 3;
static inline vec wide_mul(vec a, vec b) { return _mm256_mul_epu32(a, b); }
#else
static const int W = 2, AHEAD = 3;
typedef u64 vec __attribute__((vector_size(16)));
static inline vec wide_mul(vec a, vec b) { return (a & 0xffffffffu) * (b & 0xffffffffu); }
#endif
typedef u64 lanes __attribute__((vector_size(W * 8), aligned(W * 8)));
static inline lanes all(u64 x) { return x - lanes{}; }  // one instruction; element by element GCC takes W of them
// a ^ b ^ c: one instruction where there is one
#if defined(__AVX512F__)
static inline lanes xor3(lanes a, lanes b, lanes c) { return (lanes)_mm512_ternarylogic_epi64((vec)a, (vec)b, (vec)c, 0x96); }
#else
static inline lanes xor3(lanes a, lanes b, lanes c) { return a ^ b ^ c; }
#endif
static inline lanes mul(lanes a, lanes b) { return (lanes)wide_mul((vec)a, (vec)b); }
static inline lanes ones(lanes x) {  // population count, as a vector
#if defined(__AVX512VPOPCNTDQ__)
  return (lanes)_mm512_popcnt_epi64((vec)x);
#endif
  x = x - ((x >> 1) & all(0x5555555555555555));
  x = (x & all(0x3333333333333333)) + ((x >> 2) & all(0x3333333333333333));
  x = (x + (x >> 4)) & all(0x0f0f0f0f0f0f0f0f);
#if defined(__AVX512F__)
  return (lanes)_mm512_sad_epu8((vec)x, _mm512_setzero_si512());
#elif defined(__AVX2__)
  return (lanes)_mm256_sad_epu8((vec)x, _mm256_setzero_si256());
#else
  return (x * all(0x0101010101010101)) >> 56;
#endif
}
static lanes keys[20];  // of the ten rounds, made once
// K blocks, round by round in turn: each multiplies while the others wait. c[k] is a counter, and becomes the output words.
template <int K> static inline void rounds(lanes (&c)[K][4]) {
  const lanes m0 = all(0xD2511F53), m1 = all(0xCD9E8D57);
#pragma GCC unroll 10
  for (int r = 0; r < 10; r++) {
#pragma GCC unroll 8
    for (int k = 0; k < K; k++) {
      lanes p0 = mul(c[k][0], m0), p1 = mul(c[k][2], m1);
      c[k][0] = xor3(p1 >> 32, c[k][1], keys[2 * r]); c[k][2] = xor3(p0 >> 32, c[k][3], keys[2 * r + 1]); c[k][1] = p1; c[k][3] = p0;
    }
  }
}
// Block `t` of the walkers w, w + W, ... as two 64-bit words each.
template <int K> static inline void blocks(lanes w, u64 t, lanes (&o)[K][2]) {
  const lanes low = all(0xffffffff); lanes c[K][4];
  for (int k = 0; k < K; k++) { c[k][0] = w + all(k * W); c[k][1] = all(0); c[k][2] = all(t); c[k][3] = all(256); }
  rounds<K>(c);
  for (int k = 0; k < K; k++) { o[k][0] = (c[k][0] & low) | (c[k][1] << 32); o[k][1] = (c[k][2] & low) | (c[k][3] << 32); }
}
static volatile u64 sink;
static int threads = 2;
static const long N = 1 << 18;
static const int STEPS = 1000;
static lanes first() { lanes v; for (int i = 0; i < W; i++) v[i] = i; return v; }
// TIMES times K blocks at once: <1, 2> is what one would write first, <AHEAD, 1> keeps the multipliers busiest.
template <int K, int TIMES> static double words() {
  u64 total = 0; const int per = 256, L = K * W; const long n = N / (TIMES * L) * (TIMES * L);
#pragma omp parallel for num_threads(threads) reduction(^ : total)
  for (long b = 0; b < n; b += TIMES * L) {
    lanes acc = all(0), w = first() + all(b), o[K][2];
    for (int t = 0; t < per; t++)
      for (int i = 0; i < TIMES; i++) { blocks<K>(w + all(i * L), t, o); for (int k = 0; k < K; k++) acc ^= o[k][0] ^ o[k][1]; }
    for (int i = 0; i < W; i++) total ^= acc[i];
  }
  sink = total; return 2.0 * n * per;
}
template <int K, int TIMES> static double coin() {
  std::vector<int> out(N); const int L = K * W; const long n = N / (TIMES * L) * (TIMES * L);
  const int whole = (STEPS + 127) / 128;  // the last one in part
  const lanes early = all(~0ull >> (STEPS % 128 ? std::max(64 - STEPS % 128, 0) : 0)), late = all(STEPS % 128 ? (1ull << std::max(STEPS % 128 - 64, 0)) - 1 : ~0ull);
#pragma omp parallel for num_threads(threads)
  for (long b = 0; b < n; b += TIMES * L) {
    lanes a[TIMES][K], w = first() + all(b), o[K][2];
    for (auto &of : a) for (auto &x : of) x = all(0);
    for (int t = 0; t < whole - 1; t++)
      for (int i = 0; i < TIMES; i++) { blocks<K>(w + all(i * L), t, o); for (int k = 0; k < K; k++) a[i][k] += ones(o[k][0]) + ones(o[k][1]); }
    for (int i = 0; i < TIMES; i++) { blocks<K>(w + all(i * L), whole - 1, o); for (int k = 0; k < K; k++) a[i][k] += ones(o[k][0] & early) + ones(o[k][1] & late); }
    for (int j = 0; j < TIMES * L; j++) out[b + j] = 2 * (int)a[j / L][j % L / W][j % W] - STEPS;
  }
  sink = out[5]; return (double)n * STEPS;
}
static double table() {  // 16 random bits a step, both thresholds in one word
  std::vector<int> out(N); std::vector<u32> T(2048); const int L = 64;
  for (int i = 0; i < 2048; i++) { u32 r = (u32)(65536 * (0.4 - 0.1 * std::tanh((i - 1024) / 50.0))); T[i] = r << 16 | (r + 13107); }
  const u32 *thresholds = T.data();
#pragma omp parallel for num_threads(threads)
  for (long b = 0; b < N; b += L) {
    alignas(64) u32 x[L]; alignas(64) u32 h[2][2 * L];
    for (int j = 0; j < L; j++) x[j] = 1024;
    for (int t = 0; t < STEPS / 8; t++) {
      for (int j = 0; j < L; j += W) { lanes o[1][2]; blocks<1>(first() + all(b + j), t, o); *(lanes *)&h[0][2 * j] = o[0][0]; *(lanes *)&h[1][2 * j] = o[0][1]; }
      for (int i = 0; i < 8; i++) {
        const u32 *v = h[i & 1]; const int odd = (i >> 1) & 1, shift = i < 4 ? 16 : 0;
#if defined(__AVX512F__)
        const __m512i pick = _mm512_set_epi32(30, 28, 26, 24, 22, 20, 18, 16, 14, 12, 10, 8, 6, 4, 2, 0);
        for (int j = 0; j < L; j += 16) {
          __m512i s = _mm512_load_si512(x + j), th = _mm512_i32gather_epi32(_mm512_and_si512(s, _mm512_set1_epi32(2047)), thresholds, 4);
          __m512i u = _mm512_permutex2var_epi32(_mm512_load_si512(v + 2 * j), _mm512_add_epi32(pick, _mm512_set1_epi32(odd)), _mm512_load_si512(v + 2 * j + 16));
          u = _mm512_and_si512(_mm512_srli_epi32(u, shift), _mm512_set1_epi32(0xffff));
          s = _mm512_mask_add_epi32(s, _mm512_cmplt_epu32_mask(u, _mm512_srli_epi32(th, 16)), s, _mm512_set1_epi32(2));
          s = _mm512_mask_sub_epi32(s, _mm512_cmplt_epu32_mask(u, _mm512_and_si512(th, _mm512_set1_epi32(0xffff))), s, _mm512_set1_epi32(1));
          _mm512_store_si512(x + j, s);
        }
#else
        for (int j = 0; j < L; j++) { u32 th = thresholds[x[j] & 2047], u = (v[2 * j + odd] >> shift) & 0xffff; x[j] += 2 * (u < (th >> 16)) - (u < (th & 0xffff)); }
#endif
      }
    }
    for (int j = 0; j < L; j++) out[b + j] = (int)x[j];
  }
  sink = out[5]; return (double)N * STEPS;
}
// The simple walk in the plane: two digits a step, one block for 64 steps; right, left, up, down where they are 00, 01, 10, 11.
template <int K, int TIMES> static double plane() {
  std::vector<int> out(2 * N); const int L = K * W, whole = (STEPS + 63) / 64; const long n = N / (TIMES * L) * (TIMES * L);
  const lanes last = all(STEPS % 64 ? (1ull << STEPS % 64) - 1 : ~0ull);
#pragma omp parallel for num_threads(threads)
  for (long b = 0; b < n; b += TIMES * L) {
    lanes x[TIMES][K], y[TIMES][K], w = first() + all(b), o[K][2];
    for (int i = 0; i < TIMES; i++) for (int k = 0; k < K; k++) x[i][k] = y[i][k] = all(0);
    for (int t = 0; t < whole; t++)
      for (int i = 0; i < TIMES; i++) {
        const lanes wanted = t + 1 < whole ? all(~0ull) : last;
        blocks<K>(w + all(i * L), t, o);
        for (int k = 0; k < K; k++) {
          const lanes up = o[k][0] & wanted, level = wanted & ~up, back = o[k][1];
          x[i][k] += ones(level & ~back) - ones(level & back); y[i][k] += ones(up & ~back) - ones(up & back);
        }
      }
    for (int j = 0; j < TIMES * L; j++) { out[2 * (b + j)] = (int)x[j / L][j % L / W][j % W]; out[2 * (b + j) + 1] = (int)y[j / L][j % L / W][j % W]; }
  }
  sink = out[5]; return (double)n * STEPS;
}
// The simple walk in space: eight digits a step, four blocks for 64 steps; the thresholds k/6 by their first eight digits, which leave
// one step in 64 undecided: those count as above.
template <int K, int TIMES> static double space() {
  const u32 thresholds[5] = {42, 85, 128, 170, 213};
  std::vector<int> out(3 * N); const int L = K * W, whole = (STEPS + 63) / 64; const long n = N / (TIMES * L) * (TIMES * L);
  const lanes last = all(STEPS % 64 ? (1ull << STEPS % 64) - 1 : ~0ull);
#pragma omp parallel for num_threads(threads)
  for (long b = 0; b < n; b += TIMES * L) {
    lanes below[TIMES][5][K], w = first() + all(b);
    for (auto &of : below) for (auto &row : of) for (auto &x : row) x = all(0);
    for (int t = 0; t < whole; t++)
      for (int i = 0; i < TIMES; i++) {
        const lanes wanted = t + 1 < whole ? all(~0ull) : last;
        lanes digits[4][K][2];
        for (int d = 0; d < 4; d++) blocks<K>(w + all(i * L), 4 * t + d, digits[d]);
#pragma GCC unroll 8
        for (int k = 0; k < K; k++)
#pragma GCC unroll 5
          for (int m = 0; m < 5; m++) {
            lanes less = all(0);
#pragma GCC unroll 8
            for (int d = 7; d >= 0; d--) less = thresholds[m] >> (7 - d) & 1 ? less | ~digits[d / 2][k][d & 1] : less & ~digits[d / 2][k][d & 1];
            below[i][m][k] += ones(less & wanted);
          }
      }
    for (int j = 0; j < TIMES * L; j++) {
      int c[7] = {0}; c[6] = STEPS;
      for (int m = 0; m < 5; m++) c[m + 1] = (int)below[j / L][m][j % L / W][j % W];
      for (int axis = 0; axis < 3; axis++) out[3 * (b + j) + axis] = 2 * c[2 * axis + 1] - c[2 * axis] - c[2 * axis + 2];
    }
  }
  sink = out[5]; return (double)n * STEPS;
}
// The chosen ones of a vector, one after another from place `at` of an array on; returns the place after them.
static inline int append(u64 *to, int at, lanes values, lanes chosen) {
#if defined(__AVX512F__)
  const __mmask8 some = _mm512_test_epi64_mask((vec)chosen, (vec)chosen);
  _mm512_storeu_si512(to + at, _mm512_maskz_compress_epi64(some, (vec)values));  // the places after them mean nothing
  return at + __builtin_popcount(some);
#else
  for (int i = 0; i < W; i++) { to[at] = values[i]; at += chosen[i] != 0; }
  return at;
#endif
}
static inline lanes fetched(const u64 *from) { lanes v; __builtin_memcpy(&v, from, sizeof v); return v; }
static inline void kept(u64 *to, lanes v) { __builtin_memcpy(to, &v, sizeof v); }
// One of eight numbers for each number of a vector.
static inline lanes picked(const u64 *from, lanes which) {
#if defined(__AVX512F__)
  return (lanes)_mm512_permutexvar_epi64((vec)which, _mm512_loadu_si512(from));
#else
  lanes v; for (int i = 0; i < W; i++) v[i] = from[which[i]]; return v;
#endif
}
// Two more random digits of uniforms, compared with those of a threshold, `two`: which are `less`, and which `tie` so far.
static inline void two_digits(int two, const lanes (&digits)[2], lanes &less, lanes &tie) {
#if defined(__AVX512F__)
#define PAIR(LESS, TIE) { less = (lanes)_mm512_ternarylogic_epi64((vec)digits[0], (vec)digits[1], (vec)less, LESS); tie = (lanes)_mm512_ternarylogic_epi64((vec)digits[0], (vec)digits[1], (vec)tie, TIE); }
  if (two == 0) PAIR(0x02, 0x02) else if (two == 1) PAIR(0x0b, 0x08) else if (two == 2) PAIR(0x2f, 0x20) else PAIR(0xbf, 0x80)
#undef PAIR
#else
  for (int i = 1; i >= 0; i--) {
    if (two >> (1 - i) & 1) { less = less | ~digits[i]; tie = tie & digits[i]; } else { less = less & ~digits[i]; tie = tie & ~digits[i]; }
  }
#endif
}
// Thresholds of 62 digits. The simple walk in space; and on a line p = 0.3 to the right, q = 0.5 to the left.
struct Sixths { static constexpr u64 T[5] = {0xaaaaaaaaaaaaa80, 0x1555555555555500, 0x1fffffffffffff80, 0x2aaaaaaaaaaaaa00, 0x3555555555555500}; };
struct Biased { static constexpr u64 T[2] = {0x1333333333333300, 0x3333333333333300}; };
// A walk by all digits that its law needs: eight digits a step as above, and each undecided step by a block of its own (of Sixths five in
// 256, for 3/6 is a sum of numbers of 53 digits; of Biased two). Those of GROUP words are settled together, K vectors of them in turn. An
// undecided step has the number (threshold, lane, word, bit).
template <int K, class Law> static double settled() {
  constexpr auto &T = Law::T; constexpr u64 REST = (1ull << 54) - 1;
  constexpr int M = sizeof(T) / sizeof(T[0]), AXES = (M + 1) / 2;
  u64 rests[8] = {0};
  for (int m = 0; m < M; m++) rests[m] = T[m] & REST;
  const int L = K * W, GROUP = 16, whole = (STEPS + 63) / 64, ROOM = M * L * GROUP; const long n = N / L * L;
  static_assert(K * W <= 64, "lanes have six digits");
  std::vector<int> out(AXES * N);
  const lanes last = all(STEPS % 64 ? (1ull << STEPS % 64) - 1 : ~0ull);
#pragma omp parallel num_threads(threads)
  {
    std::vector<u64> room(6 * ROOM + 5 * L + 8 * 64);
    u64 *const below = room.data(), *const masks = below + 8 * 64, *const places = masks + ROOM + L, *const pending = places + ROOM + L, *const won = pending + 2 * ROOM + L;
#pragma omp for
    for (long b = 0; b < n; b += L) {
      std::fill(below, below + 8 * 64, 0);
      for (int begin = 0; begin < whole; begin += GROUP) {
        int many = 0, waiting = 0;
        for (int t = begin; t < std::min(begin + GROUP, whole); t++) {
          const lanes wanted = t + 1 < whole ? all(~0ull) : last;
          lanes digits[4][K][2];
          for (int d = 0; d < 4; d++) blocks<K>(first() + all(b), 4 * t + d, digits[d]);
#pragma GCC unroll 5
          for (int m = 0; m < M; m++)
#pragma GCC unroll 8
            for (int k = 0; k < K; k++) {
              lanes less = all(0), tie = wanted;
#pragma GCC unroll 4
              for (int d = 3; d >= 0; d--) two_digits(T[m] >> (60 - 2 * d) & 3, digits[d][k], less, tie);
              u64 *count = &below[64 * m + k * W]; kept(count, fetched(count) + ones(less & wanted));
              if (T[m] & REST) {
                append(places, many, ((first() + all(64 * m + k * W)) << 4) + all(t - begin), tie);
                many = append(masks, many, tie, tie);
              }
            }
        }
        while (many) {  // an undecided step of each mask that has any
          kept(&masks[many], all(0));
          int still = 0;
          for (int i = 0; i < many; i += W) {
            const lanes mask = fetched(&masks[i]), place = fetched(&places[i]), others = mask & (mask - all(1));
            kept(&pending[waiting + i], (place << 6) | ones((mask - all(1)) & ~mask));
            append(places, still, place, others);
            still = append(masks, still, others, others);
          }
          waiting += many; many = still;
          if (waiting < ROOM && many) continue;
          for (int k = 0; k < K; k++) kept(&pending[waiting + k * W], all(5 << 16));  // the last vectors may hold none: of no threshold
          int w = 0;
          for (int i = 0; i < waiting; i += L) {
            lanes c[K][4];
            for (int k = 0; k < K; k++) {
              const lanes code = fetched(&pending[i + k * W]);
              c[k][0] = ((code >> 10) & all(63)) + all(b); c[k][1] = all(0); c[k][2] = (code & all(1023)) + all(64 * begin); c[k][3] = all(1 | 256);
            }
            rounds<K>(c);
            for (int k = 0; k < K; k++) {
              const lanes code = fetched(&pending[i + k * W]), uniform = (((c[k][0] & all(0xffffffff)) >> 9) << 31) | ((c[k][1] & all(0xffffffff)) >> 1);
              w = append(won, w, code >> 10, (uniform - picked(rests, code >> 16)) >> 63);
            }
          }
          for (int j = 0; j < w; j++) below[won[j]]++;
          waiting = 0;
        }
      }
      for (int j = 0; j < L; j++) for (int axis = 0; axis < AXES; axis++)
        out[AXES * (b + j) + axis] = 2 * (int)below[128 * axis + j] - (axis ? (int)below[128 * axis - 64 + j] : 0) - (2 * axis + 1 < M ? (int)below[128 * axis + 64 + j] : STEPS);
    }
  }
#ifdef TOLD
  for (int i = 0; i < 12; i++) printf("%d ", out[i]);
  long long s = 0; for (long i = 0; i < AXES * n; i++) s += (i % 1000003 + 1) * (long long)out[i]; printf("sum %lld n %ld\n", s, n);
#endif
  sink = out[5]; return (double)n * STEPS;
}
// Look-ups on SIDE x SIDE sites: 16 random bits a step, four thresholds in two words a site. No step leaves the square.
template <int SIDE> static double square() {
  const int P = SIDE + 2, CELLS = P * P, L = 64;
  std::vector<int> out(N); std::vector<u32> T(CELLS), V(CELLS);
  for (int i = 1; i <= SIDE; i++) for (int j = 1; j <= SIDE; j++) {
    const double q = 0.25 + 0.1 * std::tanh((i - SIDE / 2) / 50.0) * std::cos(j / 40.0);
    u32 r = i < SIDE ? (u32)(65536 * (0.5 - q)) : 0, l = r + (i > 1 ? (u32)(65536 * q) : 0), u = l + (j < SIDE ? 16384 : 0), d = std::min(u + (j > 1 ? 16384u : 0u), 65535u);
    T[i * P + j] = r << 16 | l; V[i * P + j] = u << 16 | d;
  }
  const u32 *along = T.data(), *across = V.data();
#pragma omp parallel for num_threads(threads)
  for (long b = 0; b < N; b += L) {
    alignas(64) u32 x[L]; alignas(64) u32 h[2][2 * L];
    for (int j = 0; j < L; j++) { u64 z = (u64)(b + j) * 0x9E3779B97F4A7C15ull; x[j] = (1 + (u32)(z >> 40) % SIDE) * P + 1 + (u32)(z >> 20 & 0xfffff) % SIDE; }
    for (int t = 0; t < STEPS / 8; t++) {
      for (int j = 0; j < L; j += W) { lanes o[1][2]; blocks<1>(first() + all(b + j), t, o); *(lanes *)&h[0][2 * j] = o[0][0]; *(lanes *)&h[1][2 * j] = o[0][1]; }
      for (int i = 0; i < 8; i++) {
        const u32 *v = h[i & 1]; const int odd = (i >> 1) & 1, shift = i < 4 ? 16 : 0;
#if defined(__AVX512F__)
        const __m512i pick = _mm512_set_epi32(30, 28, 26, 24, 22, 20, 18, 16, 14, 12, 10, 8, 6, 4, 2, 0), low = _mm512_set1_epi32(0xffff);
        for (int j = 0; j < L; j += 16) {
          __m512i s = _mm512_load_si512(x + j), a = _mm512_i32gather_epi32(s, along, 4), c = _mm512_i32gather_epi32(s, across, 4);
          __m512i u = _mm512_permutex2var_epi32(_mm512_load_si512(v + 2 * j), _mm512_add_epi32(pick, _mm512_set1_epi32(odd)), _mm512_load_si512(v + 2 * j + 16));
          u = _mm512_and_si512(_mm512_srli_epi32(u, shift), low);
          s = _mm512_mask_add_epi32(s, _mm512_cmplt_epu32_mask(u, _mm512_srli_epi32(a, 16)), s, _mm512_set1_epi32(2 * P));
          s = _mm512_mask_sub_epi32(s, _mm512_cmplt_epu32_mask(u, _mm512_and_si512(a, low)), s, _mm512_set1_epi32(P + 1));
          s = _mm512_mask_add_epi32(s, _mm512_cmplt_epu32_mask(u, _mm512_srli_epi32(c, 16)), s, _mm512_set1_epi32(2));
          s = _mm512_mask_sub_epi32(s, _mm512_cmplt_epu32_mask(u, _mm512_and_si512(c, low)), s, _mm512_set1_epi32(1));
          _mm512_store_si512(x + j, s);
        }
#else
        for (int j = 0; j < L; j++) {
          u32 a = along[x[j]], c = across[x[j]], u = (v[2 * j + odd] >> shift) & 0xffff;
          x[j] += 2 * P * (u < a >> 16) - (P + 1) * (u < (a & 0xffff)) + 2 * (u < c >> 16) - (u < (c & 0xffff));
        }
#endif
      }
    }
    for (int j = 0; j < L; j++) out[b + j] = (int)x[j];
  }
  sink = out[5]; return (double)N * STEPS;
}
// Floating point, as the package has it for walks in continuous space: its polynomials, and fused operations only where FUSED.
typedef double real __attribute__((vector_size(W * 8), aligned(W * 8)));
static inline real every(double x) { real v; for (int i = 0; i < W; i++) v[i] = x; return v; }
static inline real as_real(lanes x) { return (real)x; }
static inline lanes as_bits(real x) { return (lanes)x; }
static inline real root(real x) {
#if defined(__AVX512F__)
  return (real)_mm512_sqrt_pd((__m512d)x);
#elif defined(__AVX2__)
  return (real)_mm256_sqrt_pd((__m256d)x);
#else
  for (int i = 0; i < W; i++) x[i] = std::sqrt(x[i]);
  return x;
#endif
}
typedef float floats __attribute__((vector_size(W * 4)));
typedef int64_t signs __attribute__((vector_size(W * 8), aligned(W * 8)));
template <class To, class From> static inline To converted(From x) { return __builtin_convertvector(x, To); }
// One attempt each at draws of Binomial(n, a/2^62), the operations of kernels/binomials.py: a block, centre, proposal, quick test,
// squeeze. No queue of the 15 in 100 that go on, no sites. K vectors at once, one loop after another.
template <int K> static double attempts() {
  u64 total = 0; const int per = 64, L = K * W; const long n = N / L * L;
  const real ulp = every(0x1p-53), magic = every(0x1.8p52), half = every(0.5), one = every(1), inverse = every(0x1p-62);
  const lanes full = all(1ull << 62), odds = all(768614336404564650ull);
#pragma omp parallel for num_threads(threads) reduction(+ : total)
  for (long start = 0; start < n; start += L) {
    lanes w = first() + all(start), o[K][2]; real p[K], mode[K], excess[K], sd[K], off[K], target[K]; signs kept[K]; lanes acc = all(0);
    for (int t = 0; t < per; t++) {
      blocks<K>(w, t, o);
      for (int k = 0; k < K; k++) {
        lanes many = w + all(500000000 + k * W), a = odds + (many & all(255)); p[k] = converted<real>(a) * inverse;
        real x = converted<real>(many + all(1)) * p[k], near = (x + magic) - magic; mode[k] = near - (near > x ? one : every(0));
        lanes m = (lanes)converted<signs>(mode[k]), low = many * (a & all(7)) - m * (full & all(7));
        signs eighths = (signs)(many * (a >> 3) - m * (full >> 3)) + ((signs)low >> 3);
        excess[k] = (converted<real>(eighths) * every(8) + converted<real>(low & all(7))) * inverse;
        sd[k] = root(converted<real>(many) * p[k] * (one - p[k]));
      }
      for (int k = 0; k < K; k++) {
        real width = every(1.15) + every(2.53) * sd[k], slope = every(-0.0873) + every(0.0248) * width + every(0.01) * p[k];
        real u = (converted<real>(o[k][0] >> 11) - every(0x1p52 - 0.5)) * ulp, v = (converted<real>(o[k][1] >> 11) + one) * ulp;
        real inside = half - (real)((lanes)u & all(~0ull >> 1)), offset = every(2) * slope * (u / inside) + width * u + (excess[k] + half);
        real near = (offset + magic) - magic, d = near - (near > offset ? one : every(0)), square = inside * inside;
        kept[k] = (inside >= every(0.07)) & (v * width <= every(0.92) * width - every(4.2));
        target[k] = v * ((every(2.83) * width + every(5.1)) * sd[k]) * square / (width * (slope + width * square));
        off[k] = d - (excess[k] + p[k] - half); mode[k] += d;
      }
      for (int k = 0; k < K; k++) {
        real most = every(5) * sd[k], y = off[k] < -most ? -most : off[k]; y = y > most ? most : y;
        floats variance = converted<floats>(sd[k] * sd[k]); real by = converted<real>(1.0f / variance), x = y * by;
        real s = one + y * x, sure = every(1 - 3e-5) - s * s * by, powers = y * x * ((one - every(2) * p[k]) * every(1.0 / 6) * x - half) * every(1.44269504088896338700);
        real near = powers + magic, f = powers - (near - magic);
        real ratio = (every(9.99999297e-01) + f * every(6.93121607e-01) + f * f * (every(2.40246905e-01) + f * (every(5.59188714e-02) + f * every(9.57183487e-03)))) * (real)(((lanes)near + all(1023)) << 52);
        acc += (lanes)((kept[k] | ((target[k] <= ratio * sure) & (y == off[k]))) & converted<signs>(mode[k]));
      }
    }
    for (int i = 0; i < W; i++) total += acc[i];
  }
  sink = total; return (double)n * per;
}
template <bool FUSED> static inline real ma(real a, real b, real c) {  // a b + c
#if defined(__AVX512F__)
  if (FUSED) return (real)_mm512_fmadd_pd((__m512d)a, (__m512d)b, (__m512d)c);
#elif defined(__FMA__) && defined(__AVX2__)
  if (FUSED) return (real)_mm256_fmadd_pd((__m256d)a, (__m256d)b, (__m256d)c);
#endif
  return a * b + c;
}
template <bool FUSED> static inline real ma(real a, real b, double c) { return ma<FUSED>(a, b, every(c)); }
template <bool FUSED> static inline real log_of(real x) {  // of a positive number (e_log.c of FreeBSD's msun)
  const lanes bits = as_bits(x), mantissa = bits & all(0x000FFFFFFFFFFFFF), above = (mantissa + all(0x95F6400000000)) & all(0x10000000000000);
  const real k = as_real((bits >> 52) - all(1023) + (above >> 52) + all(0x4338000000000000)) - every(6755399441055744.0);
  const real f = as_real(mantissa | (above ^ all(0x3FF0000000000000))) - every(1.0), s = f / (every(2.0) + f), z = s * s, w = z * z;
  const real odd = z * ma<FUSED>(w, ma<FUSED>(w, ma<FUSED>(w, every(0.1479819860511658591), 0.1818357216161805012), 0.2857142874366239149), 0.6666666666666735130);
  const real even = w * ma<FUSED>(w, ma<FUSED>(w, every(0.1531383769920937332), 0.2222219843214978396), 0.3999999999940941908);
  const real half = every(0.5) * f * f, low = ma<FUSED>(s, half + (even + odd), k * every(1.90821492927058770002e-10));
  return ma<FUSED>(k, every(6.93147180369123816490e-01), -((half - low) - f));
}
template <bool FUSED> static inline void normal_pair(lanes first, lanes second, real &x, real &y) {
  const lanes one = all(0x3FF0000000000000);
  const real u = every(2.0) - as_real((first >> 12) | one), quarters = every(4.0) * as_real((second >> 12) | one);
  const real radius = root(every(-2.0) * log_of<FUSED>(u)), nearest = quarters + every(6755399441055744.0);
  const real r = (quarters - (nearest - every(6755399441055744.0))) * every(M_PI / 2), z = r * r;
  const real s = ma<FUSED>(z, ma<FUSED>(z, ma<FUSED>(z, ma<FUSED>(z, every(1.58969099521155010221e-10), -2.50507602534068634195e-08), 2.75573137070700676789e-06), -1.98412698298579493134e-04), 8.33333333332248946124e-03);
  const real sine = ma<FUSED>(z * r, ma<FUSED>(z, s, -1.66666666666666324348e-01), r);
  const real c = z * ma<FUSED>(z, ma<FUSED>(z, ma<FUSED>(z, ma<FUSED>(z, ma<FUSED>(z, every(-1.13596475577881948265e-11), 2.08757232129817482790e-09), -2.75573143513906633035e-07), 2.48015872894767294178e-05), -1.38888888888741095749e-03), 4.16666666666666019037e-02);
  const real cosine = every(1.0) - ma<FUSED>(every(0.5), z, -(z * c));
  const lanes q = as_bits(nearest), odd = all(0) - (q & all(1)), a = as_bits(cosine), b = as_bits(sine);
  x = radius * as_real(((b & odd) | (a & ~odd)) ^ (((q + all(1)) & all(2)) << 62));
  y = radius * as_real(((a & odd) | (b & ~odd)) ^ ((q & all(2)) << 62));
}
// Xoshiro256++ in every lane: what one takes who does not ask that a walker's path depends on its number alone.
struct Xoshiro {
  lanes s[4];
  explicit Xoshiro(u64 seed) { for (auto &v : s) for (int i = 0; i < W; i++) { u64 z = (seed += 0x9E3779B97F4A7C15ull); z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9ull; z = (z ^ (z >> 27)) * 0x94D049BB133111EBull; v[i] = z ^ (z >> 31); } }
  static inline lanes turned(lanes x, int k) { return (x << k) | (x >> (64 - k)); }
  inline lanes next() {
    const lanes r = turned(s[0] + s[3], 23) + s[0], t = s[1] << 17;
    s[2] ^= s[0]; s[3] ^= s[1]; s[1] ^= s[2]; s[0] ^= s[3]; s[2] ^= t; s[3] = turned(s[3], 45);
    return r;
  }
};
// Euler and Maruyama's walk in a double well, dX = (X - X³) dt + 0.7 dW; K vectors of walkers at once.
template <int K, bool FREE> static double well() {
  std::vector<double> out(N); const int L = K * W; const long n = N / L * L; const double dt = 1e-3;
#pragma omp parallel num_threads(threads)
  {
    Xoshiro draw(omp_get_thread_num() + 1);
#pragma omp for
    for (long b = 0; b < n; b += L) {
      real x[K]; const real h = every(dt), size = every(0.7 * std::sqrt(dt)); lanes w = first() + all(b), o[K][2];
      for (auto &v : x) v = every(0.0);
      for (int t = 0; t < STEPS / 2; t++) {
        if (FREE) for (int k = 0; k < K; k++) { o[k][0] = draw.next(); o[k][1] = draw.next(); }
        else blocks<K>(w, t, o);
#pragma GCC unroll 8
        for (int k = 0; k < K; k++) {
          real z[2]; normal_pair<FREE>(o[k][0], o[k][1], z[0], z[1]);
          for (int i = 0; i < 2; i++) { const real y = x[k], drift = y - y * y * y; x[k] = ma<FREE>(size, z[i], ma<FREE>(drift, h, y)); }
        }
      }
      for (int j = 0; j < L; j++) out[b + j] = x[j / W][j % W];
    }
  }
  double sum = 0; for (double v : out) sum += v * v;
  sink = (u64)(1e6 * sum / n); return (double)n * STEPS;
}
// Passage of Brownian motion out of (-1, 1) with steps of 1e-3, by the minimum of the bridge to both walls; every lane that left
// begins anew, so that vectors stay full. Returns the steps.
template <bool FREE> static double passage() {
  const long quota = N / 16 / W; long steps = 0; const double dt = 1e-3; double mean = 0;
#pragma omp parallel num_threads(threads) reduction(+ : steps, mean)
  {
    Xoshiro draw(omp_get_thread_num() + 1);
#pragma omp for
    for (long b = 0; b < quota / 8; b++) {
      real x = every(0.0), age = every(0.0); const real size = every(std::sqrt(dt)); const lanes w = first() + all(b * W); int gone = 0; lanes o[1][2];
      for (int t = 0; gone < 8 * W; t++) {
        if (FREE) { o[0][0] = draw.next(); o[0][1] = draw.next(); } else blocks<1>(w, t, o);
        real z[2]; normal_pair<FREE>(o[0][0], o[0][1], z[0], z[1]);
        for (int i = 0; i < 2; i++) {
          const real y = ma<FREE>(size, z[i], x), up = (every(1.0) - x) * (every(1.0) - y), down = (every(1.0) + x) * (every(1.0) + y), near = every(11.5 * dt);
          age += every(1.0); steps += W;
          auto close = (up < near) | (down < near); bool any = false;
          for (int j = 0; j < W; j++) any |= close[j] != 0;
          if (any) {
            const lanes v = draw.next();
            for (int j = 0; j < W; j++) if (close[j]) {
              const double u = (v[j] >> 11) * 0x1p-53;
              if (up[j] < 0 || down[j] < 0 || u < std::exp(-2 * up[j] / dt) || u > 1 - std::exp(-2 * down[j] / dt)) { mean += age[j]; gone++; x[j] = 0; age[j] = 0; } else x[j] = y[j];
            } else x[j] = y[j];
          } else x = y;
        }
      }
    }
  }
  sink = (u64)mean; return (double)steps;
}
static double copy() {  // bytes read and written per second by one thread, in as much cache as five arrays of 4001 numbers take
  static std::vector<double> a(10000, 1.0), b(10000);
  const int times = 20000;
  for (int t = 0; t < times; t++) {
    for (size_t i = 0; i < a.size(); i++) b[i] = a[i] * 0.5;
    std::swap(a, b);
  }
  sink = (u64)a[7]; return 16.0 * a.size() * times;
}
int main(int n, char **v) {
  for (u32 r = 0; r < 10; r++) { keys[2 * r] = all((u32)(1 + r * 0x9E3779B9u)); keys[2 * r + 1] = all((u32)(2 + r * 0xBB67AE85u)); }
  std::map<std::string, std::function<double()>> everything = {{"words", words<1, 2>}, {"words-ahead", words<AHEAD, 1>}, {"coin", coin<1, 2>}, {"coin-ahead", coin<AHEAD, 1>}, {"table", table}, {"plane", plane<1, 2>}, {"plane-ahead", plane<AHEAD, 1>}, {"space", space<1, 2>}, {"space-ahead", space<AHEAD, 1>}, {"space-settled", settled<4, Sixths>}, {"space-settled-ahead", settled<AHEAD, Sixths>}, {"biased-settled", settled<4, Biased>}, {"biased-settled-ahead", settled<AHEAD, Biased>}, {"square-256", square<256>}, {"square-1024", square<1024>}, {"well", well<2, false>}, {"well-ahead", well<AHEAD < 4 ? AHEAD : 4, false>}, {"well-free", well<2, true>}, {"passage", passage<false>}, {"passage-free", passage<true>}, {"copy", copy}, {"attempts", attempts<4>}};
  std::string which = n > 1 ? v[1] : "all"; threads = n > 2 ? atoi(v[2]) : 2; int repetitions = n > 3 ? atoi(v[3]) : 5;
  for (auto &f : everything) if (which == "all" || which == f.first) {
    double best = 0;
    for (int i = 0; i < repetitions; i++) {
      auto t = std::chrono::steady_clock::now(); double done = f.second();
      double s = std::chrono::duration<double>(std::chrono::steady_clock::now() - t).count(); if (done / s > best) best = done / s;
    }
    printf("%s %.6g\n", f.first.c_str(), best);
  }
}
