"""Compressors and codecs: pools of threads with queues between them."""

from app import app, demand, digest, find


def text(folder, times):
    """A file that compresses about as well as program text; 14 times are some 24 MB."""
    data = folder / "data"
    lines = [b"%d: %x lies between %d and its square\n" % (i, i * 2654435761 % 2**32, i)
             for i in range(40000)]
    data.write_bytes(b"".join(lines) * times)
    return data


def there_and_back(stage, data, pack, unpack, packed):
    """Packs, unpacks, compares; what was packed must be the same bytes both ways."""
    answers = stage.well(*pack)
    answers.append(digest(packed))
    data.rename(stage.folder / "original")
    answers += stage.well(*unpack)
    demand(digest(data) == digest(stage.folder / "original"), "unpacked is not the original")
    for left in (data, packed, stage.folder / "original"):
        left.unlink()
    return answers


@app("pigz")
def pigz(stage):
    tool = find("pigz")
    data = text(stage.folder, stage.longer(14, 140))
    packed = data.with_name("data.gz")
    return there_and_back(stage, data, [tool, "-p", "4", "-k", "-n", data],
                          [tool, "-p", "4", "-d", "-k", packed], packed)


@app("zstd")
def zstd(stage):
    tool = find("zstd")
    data = text(stage.folder, stage.longer(14, 140))
    packed = data.with_name("data.zst")
    return there_and_back(stage, data, [tool, "-T4", "-5", "-q", "-k", data],
                          [tool, "-q", "-d", "-k", packed], packed)


@app("xz")
def xz(stage):
    tool = find("xz")
    data = text(stage.folder, stage.longer(14, 100))
    packed = data.with_name("data.xz")
    return there_and_back(stage, data, [tool, "-T4", "-1", "--block-size=2MiB", "-k", data],
                          [tool, "-T4", "-d", "-k", packed], packed)


@app("ffmpeg")
def ffmpeg(stage):
    """Its threads: a demuxer, decoders, filters, and x264's or mpeg4's frame and slice threads."""
    tool = find("ffmpeg")
    movie = stage.folder / "movie.mkv"
    said = stage.well(tool, "-nostdin", "-hide_banner", "-loglevel", "error", "-f", "lavfi",
                      "-i", f"testsrc=duration={stage.longer(3, 40)}:size=640x360:rate=30",
                      "-f", "lavfi", "-i", "sine=duration=3", "-c:v", "libx264", "-preset",
                      "veryfast", "-threads", "6", "-c:a", "flac", "-fflags", "+bitexact",
                      "-flags:v", "+bitexact", "-flags:a", "+bitexact", movie, timeout=300)
    frames = stage.well(tool, "-nostdin", "-hide_banner", "-loglevel", "error", "-threads", "4",
                        "-i", movie, "-vf", "scale=320:180,negate", "-f", "framemd5", "-",
                        timeout=300)
    # Frames of sound come before or after those of the picture, as the threads please.
    frames[1] = sorted(frames[1].splitlines())
    return [*said, digest(movie), *frames]
