"""A stage whose items do what their task says, in real processes: succeed, raise, die, hang, crash natively."""

from __future__ import annotations

import ctypes
import logging
import os
import signal
import subprocess
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

from pipelines.errors import BrokenMediaError, NoAudioError, TranscriberError, WeightsError
from pipelines.stages.base import Artefact, Item, Outcome, Report, Stage
from pipelines.storage.archive_folder import Context


@dataclass(frozen=True)
class Trial:
    """The stage. Each item is ``(subject, task)``; what ``work`` returns is added to ``kept``."""

    tasks: Sequence[tuple[str, str]]
    kept: Path
    name: ClassVar[str] = "trial"
    unit: ClassVar[str] = "s"

    def items(self, context: Context) -> Iterable[Item]:
        return [Item(subject, subject, f"fp-{subject}-{task}", task, size=1.0) for subject, task in self.tasks]

    def work(self, task: str, report: Report) -> str | Artefact:
        report(0.5)
        match task.split(":", 1):
            case ["die"]:
                os.kill(os.getpid(), signal.SIGKILL)
            case ["die-once", flag]:
                if not Path(flag).exists():
                    Path(flag).touch()
                    os.kill(os.getpid(), signal.SIGKILL)
            case ["broken"]:
                raise BrokenMediaError("damaged")
            case ["silent"]:
                raise NoAudioError("no sound")
            case ["surprise"]:
                raise ZeroDivisionError("surprise")
            case ["memory"]:
                raise MemoryError
            case ["no-weights"]:
                raise WeightsError("no weights")
            case ["hang"]:
                time.sleep(600)
            case ["nap"]:
                time.sleep(1)
            case ["nap", note]:
                Path(note).write_text(str(os.getpid()))
                time.sleep(1)
            case ["doze"]:
                time.sleep(3)
            case ["hang-natively"]:
                ctypes.PyDLL(None).sleep(600)  # PyDLL keeps the interpreter's lock: no thread of Python runs
            case ["hang-once", flag]:
                if not Path(flag).exists():
                    Path(flag).with_suffix(".new").write_text(str(os.getpid()))
                    Path(flag).with_suffix(".new").rename(flag)
                    ctypes.PyDLL(None).sleep(600)
            case ["with-program", note]:
                program = subprocess.Popen(["sleep", "600"])
                Path(note).write_text(str(program.pid))
                ctypes.PyDLL(None).sleep(600)
            case ["eat"]:
                return str(len(bytearray(4 * 2**30)))
            case ["disk-full"]:
                with Path("/dev/full").open("w") as file:
                    file.write("there is no room")
            case ["warn"]:
                logging.getLogger("pipelines.media.files").warning("parts could not be decoded")
            case ["leave", rest]:
                name, fault, flag = rest.split(":")
                artefact = Artefact.write(Path(name), b"what was heard")
                if not Path(flag).exists():
                    Path(flag).touch()
                    Path(name).write_bytes({"short": b"what was", "corrupt": b"what was herd?"}[fault])
                return artefact
            case ["pid"]:
                return str(os.getpid())
        return task

    def commit(self, context: Context, item: Item, result: Any) -> str | None:
        if result == "uncommittable":
            raise OSError("not kept")
        if isinstance(result, Artefact):
            result = result.read().decode()
        with self.kept.open("a") as file:
            file.write(f"{item.subject}={result}\n")
        return None


@dataclass(frozen=True)
class Loading(Trial):
    """The stage, with a model that does not load: ``fault`` is what happens to the process instead."""

    fault: str = ""

    def prepare(self) -> None:
        match self.fault.split(":", 1):
            case ["die"]:
                os.kill(os.getpid(), signal.SIGSEGV)
            case ["die-once", flag]:
                if not Path(flag).exists():
                    Path(flag).touch()
                    os.kill(os.getpid(), signal.SIGSEGV)
            case ["memory"]:
                raise MemoryError
            case ["engine-memory"]:
                raise TranscriberError("the weights cannot be loaded: mkl_malloc: failed to allocate memory")
            case ["hang"]:
                ctypes.PyDLL(None).sleep(600)


class Watch:
    """Remembers what it was told."""

    def __init__(self) -> None:
        self.begun: list[str] = []
        self.progress: list[tuple[str, float]] = []
        self.over: list[tuple[str, str]] = []
        self.remarks: dict[str, str | None] = {}

    def beside(self) -> Watch:
        return self

    def stage(self, stage: Stage, items: Sequence[Item]) -> None:
        pass

    def started(self, item: Item) -> None:
        self.begun.append(item.subject)

    def advanced(self, item: Item, done: float) -> None:
        self.progress.append((item.subject, done))

    def ended(self, item: Item, outcome: Outcome, remark: str | None) -> None:
        self.over.append((item.subject, outcome.status))
        self.remarks[item.subject] = remark
