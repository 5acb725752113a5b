;; Loops over weights that JavaScript is too slow for: the AdamW update, norms, and weights to int8.
;; Compiled to kernels.wasm by scripts/make-kernels.ts; addresses are bytes, counts are elements.
(module
  (import "env" "memory" (memory 1 65536 shared))

  ;; data = keep data - rate m / (root √v + epsilon) with m = beta1 m + rest1 g, v = beta2 v + rest2 g².
  (func (export "adamw")
    (param $data i32) (param $m i32) (param $v i32) (param $g i32) (param $count i32)
    (param $beta1 f32) (param $rest1 f32) (param $beta2 f32) (param $rest2 f32)
    (param $keep f32) (param $rate f32) (param $root f32) (param $epsilon f32)
    (local $end i32) (local $gi v128) (local $mi v128) (local $vi v128)
    (local $gs f32) (local $ms f32) (local $vs f32)
    (local.set $end (i32.add (local.get $data) (i32.shl (i32.and (local.get $count) (i32.const -4)) (i32.const 2))))
    (block $four (loop $next
      (br_if $four (i32.ge_u (local.get $data) (local.get $end)))
      (local.set $gi (v128.load (local.get $g)))
      (local.set $mi (f32x4.add
        (f32x4.mul (f32x4.splat (local.get $beta1)) (v128.load (local.get $m)))
        (f32x4.mul (f32x4.splat (local.get $rest1)) (local.get $gi))))
      (local.set $vi (f32x4.add
        (f32x4.mul (f32x4.splat (local.get $beta2)) (v128.load (local.get $v)))
        (f32x4.mul (f32x4.mul (f32x4.splat (local.get $rest2)) (local.get $gi)) (local.get $gi))))
      (v128.store (local.get $m) (local.get $mi))
      (v128.store (local.get $v) (local.get $vi))
      (v128.store (local.get $data) (f32x4.sub
        (f32x4.mul (f32x4.splat (local.get $keep)) (v128.load (local.get $data)))
        (f32x4.div
          (f32x4.mul (f32x4.splat (local.get $rate)) (local.get $mi))
          (f32x4.add
            (f32x4.mul (f32x4.sqrt (local.get $vi)) (f32x4.splat (local.get $root)))
            (f32x4.splat (local.get $epsilon))))))
      (local.set $data (i32.add (local.get $data) (i32.const 16)))
      (local.set $m (i32.add (local.get $m) (i32.const 16)))
      (local.set $v (i32.add (local.get $v) (i32.const 16)))
      (local.set $g (i32.add (local.get $g) (i32.const 16)))
      (br $next)))
    (local.set $end (i32.add (local.get $data) (i32.shl (i32.and (local.get $count) (i32.const 3)) (i32.const 2))))
    (block $one (loop $next
      (br_if $one (i32.ge_u (local.get $data) (local.get $end)))
      (local.set $gs (f32.load (local.get $g)))
      (local.set $ms (f32.add
        (f32.mul (local.get $beta1) (f32.load (local.get $m)))
        (f32.mul (local.get $rest1) (local.get $gs))))
      (local.set $vs (f32.add
        (f32.mul (local.get $beta2) (f32.load (local.get $v)))
        (f32.mul (f32.mul (local.get $rest2) (local.get $gs)) (local.get $gs))))
      (f32.store (local.get $m) (local.get $ms))
      (f32.store (local.get $v) (local.get $vs))
      (f32.store (local.get $data) (f32.sub
        (f32.mul (local.get $keep) (f32.load (local.get $data)))
        (f32.div
          (f32.mul (local.get $rate) (local.get $ms))
          (f32.add (f32.mul (f32.sqrt (local.get $vs)) (local.get $root)) (local.get $epsilon)))))
      (local.set $data (i32.add (local.get $data) (i32.const 4)))
      (local.set $m (i32.add (local.get $m) (i32.const 4)))
      (local.set $v (i32.add (local.get $v) (i32.const 4)))
      (local.set $g (i32.add (local.get $g) (i32.const 4)))
      (br $next))))

  ;; Σ g², summed in blocks of 4,096 so that float32 sums stay exact enough.
  (func (export "squares") (param $g i32) (param $count i32) (result f64)
    (local $end i32) (local $stop i32) (local $a v128) (local $b v128) (local $x v128) (local $sum f64)
    (local.set $stop (i32.add (local.get $g) (i32.shl (i32.and (local.get $count) (i32.const -8)) (i32.const 2))))
    (block $blocks (loop $block
      (br_if $blocks (i32.ge_u (local.get $g) (local.get $stop)))
      (local.set $end (i32.add (local.get $g) (i32.const 16384)))
      (if (i32.gt_u (local.get $end) (local.get $stop)) (then (local.set $end (local.get $stop))))
      (local.set $a (v128.const f32x4 0 0 0 0))
      (local.set $b (v128.const f32x4 0 0 0 0))
      (loop $next
        (local.set $x (v128.load (local.get $g)))
        (local.set $a (f32x4.add (local.get $a) (f32x4.mul (local.get $x) (local.get $x))))
        (local.set $x (v128.load offset=16 (local.get $g)))
        (local.set $b (f32x4.add (local.get $b) (f32x4.mul (local.get $x) (local.get $x))))
        (local.set $g (i32.add (local.get $g) (i32.const 32)))
        (br_if $next (i32.lt_u (local.get $g) (local.get $end))))
      (local.set $a (f32x4.add (local.get $a) (local.get $b)))
      (local.set $sum (f64.add (local.get $sum) (f64.add
        (f64.add
          (f64.promote_f32 (f32x4.extract_lane 0 (local.get $a)))
          (f64.promote_f32 (f32x4.extract_lane 1 (local.get $a))))
        (f64.add
          (f64.promote_f32 (f32x4.extract_lane 2 (local.get $a)))
          (f64.promote_f32 (f32x4.extract_lane 3 (local.get $a)))))))
      (br $block)))
    (local.set $stop (i32.add (local.get $g) (i32.shl (i32.and (local.get $count) (i32.const 7)) (i32.const 2))))
    (block $rest (loop $next
      (br_if $rest (i32.ge_u (local.get $g) (local.get $stop)))
      (local.set $sum (f64.add (local.get $sum) (f64.promote_f32
        (f32.mul (f32.load (local.get $g)) (f32.load (local.get $g))))))
      (local.set $g (i32.add (local.get $g) (i32.const 4)))
      (br $next)))
    (local.get $sum))

  ;; A matrix (rows, columns), columns a multiple of 16, row by row to int8 = value / scale with scale = largest / 127.
  (func (export "rowsToInt8") (param $x i32) (param $rows i32) (param $columns i32) (param $out i32) (param $scales i32)
    (local $end i32) (local $at i32) (local $largest v128) (local $top f32) (local $inverse v128)
    (block $done (loop $row
      (br_if $done (i32.eqz (local.get $rows)))
      (local.set $end (i32.add (local.get $x) (i32.shl (local.get $columns) (i32.const 2))))
      (local.set $at (local.get $x))
      (local.set $largest (v128.const f32x4 0 0 0 0))
      (loop $next
        (local.set $largest (f32x4.pmax (local.get $largest) (f32x4.abs (v128.load (local.get $at)))))
        (local.set $largest (f32x4.pmax (local.get $largest) (f32x4.abs (v128.load offset=16 (local.get $at)))))
        (local.set $at (i32.add (local.get $at) (i32.const 32)))
        (br_if $next (i32.lt_u (local.get $at) (local.get $end))))
      (local.set $top (f32.max
        (f32.max (f32x4.extract_lane 0 (local.get $largest)) (f32x4.extract_lane 1 (local.get $largest)))
        (f32.max (f32x4.extract_lane 2 (local.get $largest)) (f32x4.extract_lane 3 (local.get $largest)))))
      (local.set $top (f32.max (local.get $top) (f32.const 1e-30)))
      (f32.store (local.get $scales) (f32.div (local.get $top) (f32.const 127)))
      (local.set $inverse (f32x4.splat (f32.div (f32.const 127) (local.get $top))))
      (loop $next
        (v128.store (local.get $out) (i8x16.narrow_i16x8_s
          (i16x8.narrow_i32x4_s
            (i32x4.trunc_sat_f32x4_s (f32x4.nearest (f32x4.mul (local.get $inverse) (v128.load (local.get $x)))))
            (i32x4.trunc_sat_f32x4_s (f32x4.nearest (f32x4.mul (local.get $inverse) (v128.load offset=16 (local.get $x))))))
          (i16x8.narrow_i32x4_s
            (i32x4.trunc_sat_f32x4_s (f32x4.nearest (f32x4.mul (local.get $inverse) (v128.load offset=32 (local.get $x)))))
            (i32x4.trunc_sat_f32x4_s (f32x4.nearest (f32x4.mul (local.get $inverse) (v128.load offset=48 (local.get $x))))))))
        (local.set $x (i32.add (local.get $x) (i32.const 64)))
        (local.set $out (i32.add (local.get $out) (i32.const 16)))
        (br_if $next (i32.lt_u (local.get $x) (local.get $end))))
      (local.set $scales (i32.add (local.get $scales) (i32.const 4)))
      (local.set $rows (i32.sub (local.get $rows) (i32.const 1)))
      (br $row))))

  ;; A matrix (rows, columns), columns a multiple of 16, to int8 with a scale per column; `inverses` is room for (columns).
  (func (export "columnsToInt8")
    (param $x i32) (param $rows i32) (param $columns i32) (param $out i32) (param $scales i32) (param $inverses i32)
    (local $bytes i32) (local $at i32) (local $row i32) (local $from i32) (local $top v128)
    (local.set $bytes (i32.shl (local.get $columns) (i32.const 2)))
    (loop $clear
      (v128.store (i32.add (local.get $scales) (local.get $at)) (f32x4.splat (f32.const 1e-30)))
      (local.set $at (i32.add (local.get $at) (i32.const 16)))
      (br_if $clear (i32.lt_u (local.get $at) (local.get $bytes))))
    (local.set $from (local.get $x))
    (loop $rowLoop
      (local.set $at (i32.const 0))
      (loop $next
        (v128.store (i32.add (local.get $scales) (local.get $at)) (f32x4.pmax
          (v128.load (i32.add (local.get $scales) (local.get $at)))
          (f32x4.abs (v128.load (local.get $from)))))
        (local.set $from (i32.add (local.get $from) (i32.const 16)))
        (local.set $at (i32.add (local.get $at) (i32.const 16)))
        (br_if $next (i32.lt_u (local.get $at) (local.get $bytes))))
      (local.set $row (i32.add (local.get $row) (i32.const 1)))
      (br_if $rowLoop (i32.lt_u (local.get $row) (local.get $rows))))
    (local.set $at (i32.const 0))
    (loop $next
      (local.set $top (v128.load (i32.add (local.get $scales) (local.get $at))))
      (v128.store (i32.add (local.get $inverses) (local.get $at))
        (f32x4.div (f32x4.splat (f32.const 127)) (local.get $top)))
      (v128.store (i32.add (local.get $scales) (local.get $at))
        (f32x4.div (local.get $top) (f32x4.splat (f32.const 127))))
      (local.set $at (i32.add (local.get $at) (i32.const 16)))
      (br_if $next (i32.lt_u (local.get $at) (local.get $bytes))))
    (local.set $row (i32.const 0))
    (loop $rowLoop
      (local.set $at (local.get $inverses))
      (local.set $from (i32.add (local.get $inverses) (local.get $bytes)))
      (loop $next
        (v128.store (local.get $out) (i8x16.narrow_i16x8_s
          (i16x8.narrow_i32x4_s
            (i32x4.trunc_sat_f32x4_s (f32x4.nearest (f32x4.mul (v128.load (local.get $at)) (v128.load (local.get $x)))))
            (i32x4.trunc_sat_f32x4_s (f32x4.nearest (f32x4.mul (v128.load offset=16 (local.get $at)) (v128.load offset=16 (local.get $x))))))
          (i16x8.narrow_i32x4_s
            (i32x4.trunc_sat_f32x4_s (f32x4.nearest (f32x4.mul (v128.load offset=32 (local.get $at)) (v128.load offset=32 (local.get $x)))))
            (i32x4.trunc_sat_f32x4_s (f32x4.nearest (f32x4.mul (v128.load offset=48 (local.get $at)) (v128.load offset=48 (local.get $x))))))))
        (local.set $x (i32.add (local.get $x) (i32.const 64)))
        (local.set $out (i32.add (local.get $out) (i32.const 16)))
        (local.set $at (i32.add (local.get $at) (i32.const 64)))
        (br_if $next (i32.lt_u (local.get $at) (local.get $from))))
      (local.set $row (i32.add (local.get $row) (i32.const 1)))
      (br_if $rowLoop (i32.lt_u (local.get $row) (local.get $rows)))))
)
