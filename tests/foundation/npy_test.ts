import assert from "node:assert/strict";
import { dump } from "npyjs";
import { npyHead, npyNumbers, readNpy } from "../../foundation/npy.ts";
import { npyHeader } from "../../runner/codecs/npy.ts";

/** `numpy.save` of numpy 2.4.6; `np.save(f, ARRAY)`, the file in base 64. */
const NUMPY = {
  // np.array([[1, -2.5], [0.1, 65504]], "<f2")
  half:
    "k05VTVBZAQB2AHsnZGVzY3InOiAnPGYyJywgJ2ZvcnRyYW5fb3JkZXInOiBGYWxzZSwgJ3NoYXBlJzogKDIsIDIpLCB9ICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgIAoAPADBZi7/ew==",
  // np.array([True, False])
  truths:
    "k05VTVBZAQB2AHsnZGVzY3InOiAnfGIxJywgJ2ZvcnRyYW5fb3JkZXInOiBGYWxzZSwgJ3NoYXBlJzogKDIsKSwgfSAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgIAoBAA==",
  // np.array(7, "<i8")
  scalar:
    "k05VTVBZAQB2AHsnZGVzY3InOiAnPGk4JywgJ2ZvcnRyYW5fb3JkZXInOiBGYWxzZSwgJ3NoYXBlJzogKCksIH0gICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgIAoHAAAAAAAAAA==",
  // np.array([1, 2], ">i4")
  big:
    "k05VTVBZAQB2AHsnZGVzY3InOiAnPmk0JywgJ2ZvcnRyYW5fb3JkZXInOiBGYWxzZSwgJ3NoYXBlJzogKDIsKSwgfSAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgIAoAAAABAAAAAg==",
  // np.asfortranarray(np.arange(4, dtype="<i2").reshape(2, 2))
  fortran:
    "k05VTVBZAQB2AHsnZGVzY3InOiAnPGkyJywgJ2ZvcnRyYW5fb3JkZXInOiBUcnVlLCAnc2hhcGUnOiAoMiwgMiksIH0gICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgIAoAAAIAAQADAA==",
  // np.array([1j])
  complex:
    "k05VTVBZAQB2AHsnZGVzY3InOiAnPGMxNicsICdmb3J0cmFuX29yZGVyJzogRmFsc2UsICdzaGFwZSc6ICgxLCksIH0gICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgIAoAAAAAAAAAAAAAAAAAAPA/",
};

const file = (name: keyof typeof NUMPY) => Uint8Array.fromBase64(NUMPY[name]);

Deno.test("npy files of numpy and of another library are read, of every element type", () => {
  const half = readNpy(file("half"));
  assert.deepEqual(half, { type: "f2", shape: [2, 2], data: Float16Array.of(1, -2.5, 0.1, 65504) });
  assert.deepEqual(readNpy(file("truths")), { type: "b1", shape: [2], data: Uint8Array.of(1, 0) });
  assert.deepEqual(readNpy(file("scalar")), { type: "i8", shape: [], data: BigInt64Array.of(7n) });
  const arrays = {
    ...{ u1: Uint8Array.of(0, 255), i1: Int8Array.of(-128, 127), u2: Uint16Array.of(1, 65535) },
    ...{ i2: Int16Array.of(-3, 4), u4: Uint32Array.of(7, 2 ** 32 - 1), i4: Int32Array.of(-5, 6) },
    ...{ f4: Float32Array.of(NaN, -0.5), f8: Float64Array.of(Math.PI, -Infinity) },
    ...{ u8: BigUint64Array.of(1n, 2n ** 64n - 1n), i8: BigInt64Array.of(-1n, 2n) },
  };
  for (const [type, data] of Object.entries(arrays)) {
    const bytes = new Uint8Array(dump(data, [1, 2]));
    assert.deepEqual(readNpy(bytes), { type, shape: [1, 2], data }, type);
    assert.deepEqual([...npyNumbers(bytes, npyHead(bytes))], Array.from(data, Number), type);
  }
});

Deno.test("a cut npy file is read as far as it goes; what is none, or of another kind, is refused with the reason", () => {
  const data = Float32Array.of(1, 2, 3, 4, 5, 6);
  const whole = new Uint8Array([...npyHeader("f4", 2, 3), ...new Uint8Array(data.buffer)]);
  const head = npyHead(whole);
  assert.deepEqual([head.type, head.shape], ["f4", [2, 3]]);
  assert.deepEqual([...npyNumbers(whole, head)], [...data]);
  assert.deepEqual([...npyNumbers(whole, head, 2)], [1, 2]);
  const cut = whole.subarray(0, whole.length - 6);
  assert.deepEqual([...npyNumbers(cut, head)], [1, 2, 3, 4]);
  assert.throws(() => readNpy(cut), /ends in the middle of a number/);
  assert.throws(() => npyHead(new TextEncoder().encode("no array at all, just text")), /no \.npy file/);
  assert.throws(() => npyHead(whole.subarray(0, 20)), /cut off/);
  assert.throws(() => npyHead(file("big")), /element type is >i4; expected .*little-endian/);
  assert.throws(() => npyHead(file("complex")), /element type is <c16/);
  assert.throws(() => npyHead(file("fortran")), /Fortran order/);
  // Read whole, a matrix in Fortran order is one like others.
  assert.deepEqual(readNpy(file("fortran")), { type: "i2", shape: [2, 2], data: Int16Array.of(0, 1, 2, 3) });
});
