#!/usr/bin/env python3
"""check_crypto_mb.py CHECK SOURCE - one check of how crypto_mb comes to a machine.

`cmake_values`: what cmake/CryptoMb.cmake makes of CLEAT_CRYPTO_MB, of a copy unpacked by
scripts/fetch-crypto-mb (as on Debian 12) and of an installed library (as on Debian 13).
`fetch_...`: the script in a tree of its own, with programs in place of apt-get, dpkg, ldconfig and
uname that note how they were called; nothing is fetched.
"""
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile

SOURCE = pathlib.Path(sys.argv[2]).resolve()
COPY = "build/crypto_mb/usr/lib/x86_64-linux-gnu/libcrypto_mb.so.11"


def configure(folder, value, fetched, installed):
    """The lines that a project of three lines prints, and whether configuring it succeeded."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    (folder / "CMakeLists.txt").write_text(
        "cmake_minimum_required(VERSION 3.25)\nproject(p LANGUAGES NONE)\n"
        f"include({SOURCE}/cmake/CryptoMb.cmake)\n"
        "get_directory_property(definitions COMPILE_DEFINITIONS)\n"
        "message(STATUS \"code=${definitions} file=${CLEAT_CRYPTO_MB_FILE} "
        "rpath=${CMAKE_BUILD_RPATH};\")\n")
    if fetched:
        (folder / COPY).parent.mkdir(parents=True)
        (folder / COPY).touch()
    done = subprocess.run(
        ["cmake", "-S", folder, "-B", folder / "b", f"-DCLEAT_CRYPTO_MB={value}",
         "-DCLEAT_CRYPTO_MB_SYSTEM=" + ("/usr/lib/libcrypto_mb.so.11" if installed else
                                        "CLEAT_CRYPTO_MB_SYSTEM-NOTFOUND"),
         # So that a library of this machine is not found: the look-up is told where to look.
         "-DCMAKE_FIND_ROOT_PATH_MODE_LIBRARY=ONLY", f"-DCMAKE_FIND_ROOT_PATH={folder}/none"],
        capture_output=True, text=True, timeout=60, check=False)
    return done.returncode == 0, done.stdout + done.stderr


def cmake_values():
    folder = pathlib.Path(tempfile.mkdtemp()) / "p"
    copy = folder / COPY
    for value, fetched, installed, succeeds, code, file in (
            ("OFF", True, True, True, "", ""),
            ("OFF", False, False, True, "", ""),
            ("AUTO", False, False, True, "CLEAT_CRYPTO_MB", ""),
            ("AUTO", True, False, True, "CLEAT_CRYPTO_MB", copy),
            ("AUTO", True, True, True, "CLEAT_CRYPTO_MB", ""),  # the installed one is taken
            ("ON", True, False, True, "CLEAT_CRYPTO_MB", copy),
            ("ON", False, True, True, "CLEAT_CRYPTO_MB", ""),
            ("ON", False, False, False, None, None)):
        case = f"{value}, fetched: {fetched}, installed: {installed}"
        ok, text = configure(folder, value, fetched, installed)
        assert ok == succeeds, f"{case}\n{text}"
        if succeeds:
            rpath = file.parent if file else ""
            wanted = f"code={code} file={file} rpath={rpath};"
            assert wanted in text, f"{case}: not {wanted} in\n{text}"
        else:
            assert "there is no libcrypto_mb.so.11" in text, text
        print(case, "as it should be")
    shutil.rmtree(folder.parent)


class Tree:
    """A tree with the scripts alone, and programs that note how they are called."""

    def __init__(self, **programs):
        self.root = pathlib.Path(tempfile.mkdtemp())
        self.log = self.root / "calls"
        (self.root / "scripts").mkdir()
        for name in ("fetch-crypto-mb", "unpack-debian13", "debian-mirror"):
            shutil.copy(SOURCE / "scripts" / name, self.root / "scripts")
        (self.root / "bin").mkdir()
        programs = {"uname": "echo x86_64", "ldconfig": "true", "apt-get": "exit 1",
                    "dpkg": "exit 1", **programs}
        for name, body in programs.items():
            path = self.root / "bin" / name
            path.write_text(f"#!/bin/sh\necho {name} \"$@\" >>{self.log}\n{body}\n")
            path.chmod(0o755)

    def run(self):
        self.log.write_text("")
        env = {**os.environ, "PATH": f"{self.root}/bin:{os.environ['PATH']}"}
        done = subprocess.run([self.root / "scripts/fetch-crypto-mb"], env=env, timeout=60,
                              capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        return done.stderr

    def calls(self, name):
        return [line for line in self.log.read_text().splitlines() if line.startswith(name + " ")]

    def copy(self):
        return (self.root / COPY).exists()

    def drop(self):
        shutil.rmtree(self.root)


def need_debian():
    release = pathlib.Path("/etc/os-release")
    if not release.exists() or "\nID=debian\n" not in "\n" + release.read_text():
        print("SKIP: this is no Debian: the script has nothing to fetch from")
        sys.exit(0)


def codename():
    for line in pathlib.Path("/etc/os-release").read_text().splitlines():
        if line.startswith("VERSION_CODENAME="):
            return line.split("=")[1]
    sys.exit("no VERSION_CODENAME")


def apt(download="touch libcrypto-mb11_1_amd64.deb"):
    """An apt-get that knows one mirror."""
    return (f'case "$1" in indextargets) echo http://mirror.test/debian {codename()} main ;; esac\n'
            f'case " $* " in *" download "*) {download} ;; esac')


UNPACK = (f'mkdir -p "$3/usr/lib/x86_64-linux-gnu"\n'
          f'touch "$3/usr/lib/x86_64-linux-gnu/libcrypto_mb.so.11"')


def fetch_unpacks_into_the_tree():
    need_debian()
    tree = Tree(**{"apt-get": apt(), "dpkg": UNPACK})
    assert "fetching libcrypto-mb11" in tree.run()
    assert tree.copy()
    # Nothing of the system is touched, and signatures are checked.
    for call in tree.calls("apt-get")[1:]:
        for words in (f"Dir::State::Lists={tree.root}/build/", f"Dir::Cache={tree.root}/build/",
                      f"Dir::Etc::SourceList={tree.root}/build/", "Dir::Etc::SourceParts=-",
                      "APT::Get::AllowUnauthenticated=false",
                      "Acquire::AllowInsecureRepositories=false"):
            assert words in call, (words, call)
    assert len(tree.calls("apt-get")) == 3
    assert all(f"-x {tree.root}/build/" in call for call in tree.calls("dpkg"))
    # And once only.
    assert tree.run() == "" and tree.calls("apt-get") == []
    tree.drop()


def fetch_leaves_an_installed_library_alone():
    for programs in ({"ldconfig": "echo libcrypto_mb.so.11 '=>' /usr/lib/libcrypto_mb.so.11"},
                     {"uname": "echo aarch64"}):
        tree = Tree(**programs)
        assert tree.run() == "" and not tree.copy()
        assert tree.calls("apt-get") == [] and tree.calls("dpkg") == []
        tree.drop()


def fetch_goes_on_without():
    need_debian()
    for programs, why in (({"apt-get": apt("exit 1")}, "libcrypto-mb11 could not be had"),
                          ({"apt-get": apt()}, "libcrypto-mb11 could not be unpacked"),
                          ({}, "name no mirror")):
        tree = Tree(**programs)
        note = tree.run()
        assert "NOTE: no crypto_mb" in note and why in note, note
        assert not tree.copy() and not (tree.root / "build/crypto_mb.new").exists()
        # Not tried again on the same day.
        assert why in tree.run() and tree.calls("apt-get") == []
        tree.drop()


if __name__ == "__main__":
    globals()[sys.argv[1]]()
    print(f"{sys.argv[1]}: passed")
