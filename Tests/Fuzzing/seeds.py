"""Writes valid files of one kind, and some that are nearly valid: where the fuzzer begins.

Usage: seeds.py READER FOLDER. Standard library only; the formats are written from their
specifications (see the readers in Sources/DataFiles), not by our code.
"""
import gzip
import io
import pathlib
import struct
import sys
import zipfile


def npy(code="<f8", shape="(2, 3)", data=bytes(48), order="False", version=1, header=None):
    header = header or f"{{'descr': '{code}', 'fortran_order': {order}, 'shape': {shape}, }}"
    header = header.encode() + b"\n"
    length = struct.pack("<H" if version == 1 else "<I", len(header))
    return b"\x93NUMPY" + bytes([version, 0]) + length + header + data


def arrays():
    six = struct.pack("<6d", 0, 1, -2.5, 1e300, 5e-324, 6)
    for code, width in [("<f4", 4), (">f8", 8), ("|i1", 1), ("|u1", 1), ("<i2", 2), (">u2", 2),
                        ("<i4", 4), (">u4", 4), ("<i8", 8), ("<u8", 8), ("|b1", 1)]:
        yield npy(code, "(3,)", bytes(3 * width))
    yield npy(data=six)
    yield npy(data=six, order="True")
    yield npy(data=six, version=2)
    yield npy(data=six, version=3)
    yield npy(shape="()", data=six[:8])
    yield npy(shape="(0,)", data=b"")
    yield npy(shape="(1, 2, 3)", data=six, order="True")
    yield npy(shape="(2L, 3L)", data=six)
    yield npy(shape="(1,)", data=struct.pack("<d", float("nan")))
    yield npy(shape="(1152921504606846976,)", data=b"")
    yield npy(shape="(0, 4611686018427387904)", data=b"")
    yield npy(shape="(" + "1, " * 70 + ")", data=six[:8])
    yield npy("|O", "(1,)", b"\x80\x04.")
    yield npy(header="{'descr': [('a', '<f8')], 'fortran_order': False, 'shape': (1,), }")
    yield npy("<i8", "(1,)", struct.pack("<q", 2**53 + 1))
    yield b"\x80\x04\x95"
    yield b"\x89HDF"


def archives():
    plain = [npy(data=bytes(48)), npy("<i8", "(2,)", struct.pack("<2q", 0, 1)), npy("|u1", "(9,)", bytes(9))]
    for method in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        for names in (["W"], ["W", "y"], ["a/b", "größe", "z"], []):
            file = io.BytesIO()
            with zipfile.ZipFile(file, "w", method) as archive:
                for name, contents in zip(names, plain):
                    archive.writestr(zipfile.ZipInfo(name + ".npy"), contents, method)
            yield file.getvalue()
    # As numpy.savez does: a ZIP64 field in the header of each file.
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        with archive.open(zipfile.ZipInfo("W.npy"), "w", force_zip64=True) as entry:
            entry.write(plain[0])
        archive.comment = b"PK\x05\x06"
    yield file.getvalue()
    # Sizes in a ZIP64 field of the directory, and a ZIP64 end record.
    contents, name = plain[2], b"u.npy"
    import zlib
    crc = zlib.crc32(contents)
    local = struct.pack("<IHHHHHIIIHH", 0x04034B50, 45, 0, 0, 0, 33, crc, len(contents), len(contents), len(name), 0)
    body = local + name + contents
    extra = struct.pack("<HHQQQ", 1, 24, len(contents), len(contents), 0)
    central = struct.pack("<IHHHHHHIIIHHHHHII", 0x02014B50, 45, 45, 0, 0, 0, 33, crc, 2**32 - 1, 2**32 - 1,
                          len(name), len(extra), 0, 0, 0, 0, 2**32 - 1) + name + extra
    record = struct.pack("<IQHHIIQQQQ", 0x06064B50, 44, 45, 45, 0, 0, 1, 1, len(central), len(body))
    locator = struct.pack("<IIQI", 0x07064B50, 0, len(body) + len(central), 1)
    end = struct.pack("<IHHHHIIH", 0x06054B50, 0, 0, 0xFFFF, 0xFFFF, 2**32 - 1, 2**32 - 1, 0)
    yield body + central + record + locator + end
    # Beyond HostileReader.limit once unpacked, and as an array of doubles.
    for size in (600_000, 100_000):
        file = io.BytesIO()
        with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr("W.npy", npy("|u1", f"({size},)", bytes(size)))
        yield file.getvalue()
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("net/data.pkl", b"\x80\x02")
    yield file.getvalue()
    yield plain[0]
    yield b"\x80\x04\x95"


def idx(*shape):
    size = 1
    for dimension in shape:
        size *= dimension
    return bytes([0, 0, 8, len(shape)]) + b"".join(struct.pack(">I", d) for d in shape) + bytes(i % 251 for i in range(size))


def images():
    yield gzip.compress(idx(600_000)[:8] + bytes(600_000), mtime=0)
    for file in (idx(3), idx(2, 2, 3), idx(0, 5), idx(1, 1, 1, 1)):
        yield file
        yield gzip.compress(file, mtime=0)
    yield bytes([0, 0, 8, 3]) + b"\xff" * 12
    yield bytes([0, 0, 13, 1, 0, 0, 0, 0])
    yield bytes([0, 0, 8, 255]) + bytes([0, 0, 0, 1]) * 255 + b"\x07"


def packed():
    yield gzip.compress(b"natural gradient\n", mtime=0)
    yield gzip.compress(b"", mtime=0)
    yield gzip.compress(b"a" * 5000, mtime=0) + gzip.compress(b"b", mtime=0)
    yield gzip.compress(bytes(range(256)) * 2, 0, mtime=0)
    file = io.BytesIO()
    with gzip.GzipFile("name", "wb", fileobj=file, mtime=1) as member:
        member.write(b"named")
    yield file.getvalue()
    # Beyond HostileReader.limit, whole and cut.
    yield gzip.compress(bytes(600_000), mtime=0)
    yield gzip.compress(bytes(600_000), mtime=0)[:-20]
    yield gzip.compress(b"x", mtime=0) + b"\0\0"


def documents():
    yield from (text.encode() for text in [
        "null", "true", " [false] ", "0", "-0.5e-3", "1E+2", "1e999", "123456789012345678901234567890",
        '""', '"a\\n\\u00e9\\ud83d\\ude00\\/"', '"\\ud83d"', '"größe"', "[]", "{}", "[1,2.5,[3,[]],{}]",
        '{"a":1,"b":{"c":[null,true,"x"]}}', '{"a":1,"a":2}', "[1,]", "{'a':1}", "[" * 200, "[" * 120 + "]" * 120,
        '{"network":{"inputShape":{"vector":5},"nodes":[{"operation":"dense","inputs":[0]}]},"N":7}',
        "\ufeff[1]", "// comment", "[1 2]", "nan", "01", "-", "1.", '"\t"', '{"a"}',
    ])
    yield b'"\xff"'


def tables():
    yield from (text.encode() for text in [
        "x,y\n1,0\n2,1\n", 'x1,"x ""2""",y\r\n1,-2.5e3,0\r\n\r\n"3",4,1\r\n', "y\n-1\n", "y,x\r0.5,1\r2,3\r",
        "\ufeffx,y\n+.5, 3 \n", "x;y\n1;0\n", "x\ty\n1\t0\n", "1,2\n3,4\n", "x,y\n1\n", "x,y\n1,a\n", "x,y\n",
        "y,y\n1,1\n", '"x\n1",y\nnan,0\n', 'x,y\n"1,0\n', 'x,y\n"1"2,0\n', "x,y\n1e999,0\n", ",,,\n", "",
        "a,b,c,d,e,f,g,h,i,j,k,l,m,n\n1\n", "x,y\n1,9223372036854775808\n", "x,y\n1,1e18\n",
    ])
    yield b"x\x1b[2J\xff,y\n\x00,0\n"
    yield "x\u0301\u202e,y\nz\u0301\u0301\u0301,0\n".encode()


KINDS = {"npy": arrays, "npz": archives, "idx": images, "gzip": packed, "json": documents, "csv": tables}

if __name__ == "__main__":
    reader, folder = sys.argv[1:]
    pathlib.Path(folder).mkdir(parents=True, exist_ok=True)
    for number, contents in enumerate(KINDS[reader]()):
        pathlib.Path(folder, f"seed-{number:02}").write_bytes(contents)
