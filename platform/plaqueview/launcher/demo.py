"""The demo from the first check to the last process: what `plaqueview demo` does, in order."""

import asyncio
import json
import os
import signal
import sys
import time
import webbrowser
from collections.abc import Mapping, Sequence
from http import HTTPStatus
from http.client import HTTPConnection, HTTPException

from plaqueview import __version__
from plaqueview.launcher.broker import configure_broker, wait_for_broker
from plaqueview.launcher.checks import require_startable, sole_use
from plaqueview.launcher.errors import LauncherError
from plaqueview.launcher.plan import DemoPlan, environment_of, make_folders, write_environment
from plaqueview.launcher.preparation import (
    has_patients,
    is_prepared,
    patient_programs,
    preparing_programs,
    record_patients,
    record_preparation,
    study_program,
)
from plaqueview.launcher.process_group import guarded_group
from plaqueview.launcher.programs import Program, broker_program, clock_program, programs_of, training_programs
from plaqueview.launcher.supervisor import Supervisor

READY_TIMEOUT_S, READY_POLL_S = 180.0, 0.25
CREDENTIALS_GONE = "the accounts are older than this file; `plaqueview manage changepassword NAME` sets a new password"


async def run_demo(plan: DemoPlan) -> int:
    """Everything ran until the user ended it; returns 0. Raises: LauncherError when it cannot start or stay up."""
    make_folders(plan)
    with sole_use(plan.data_dir):
        require_startable(plan)
        say(f"PlaqueView {__version__} in {plan.data_dir}")
        with guarded_group() as group:
            await run_until_ended(plan, Supervisor(group=group, logs_dir=plan.logs_dir, report=say))
    say("ended")
    return 0


async def run_until_ended(plan: DemoPlan, supervisor: Supervisor) -> None:
    """The demo ran, and none of its processes does. Raises: LauncherError when a part does not start or stay up."""
    demo = asyncio.create_task(Demo(plan, supervisor).run())
    end_on_signals(demo)
    try:
        await demo
    except asyncio.CancelledError:
        say("ending every process …")
    except ExceptionGroup as errors:
        raise errors.exceptions[0] from errors  # the first one ended the others
    finally:
        await supervisor.stop()


class Demo:
    """One run of the demo: prepare, start, import, announce, and stay until cancelled."""

    def __init__(self, plan: DemoPlan, supervisor: Supervisor) -> None:
        self._plan = plan
        self._supervisor = supervisor
        broker = configure_broker(plan.broker_dir)
        self._broker = broker
        self._environment = environment_of(plan, broker_url=broker.url)

    async def run(self) -> None:
        """Never returns by itself. Raises: LauncherError when a part does not start or does not stay up."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._keep(broker_program(self._broker)))
            await asyncio.to_thread(wait_for_broker, self._broker)
            write_environment(self._plan.environment_file, self._environment)
            is_first_start = await self._prepare()
            for program in programs_of(self._plan):
                group.create_task(self._keep(program))
            group.create_task(self._import_patients())
            await wait_until_ready(self._plan)
            for program in (clock_program(), *training_programs()):
                group.create_task(self._keep(program))
            self._announce(tells_passwords=is_first_start)
            await self._import_study()

    async def _keep(self, program: Program) -> None:
        await self._supervisor.keep(program, self._environment)

    async def _prepare(self) -> bool:
        """Tables and accounts exist; returns whether accounts were made now."""
        if is_prepared(self._plan):
            return False
        say("tables and accounts …")
        had_accounts = self._plan.credentials.exists()
        for program in preparing_programs(self._plan):
            await self._supervisor.run(program, self._environment)
        record_preparation(self._plan)
        return not had_accounts

    async def _import_patients(self) -> None:
        if has_patients(self._plan):
            return
        if await self._run_each("synthetic patients", patient_programs(self._plan)):
            record_patients(self._plan)

    async def _import_study(self) -> None:
        if self._plan.study is not None:
            await self._run_each(str(self._plan.study), (study_program(self._plan.study),))

    async def _run_each(self, thing: str, programs: Sequence[Program]) -> bool:
        """Whether `thing` came in; if not, the user reads why and the demo goes on without it."""
        try:
            for program in programs:
                say(f"{thing}: {program.name} …")
                await self._supervisor.run(program, self._environment)
        except LauncherError as error:
            say(f"{thing}: {error}")
            return False
        say(f"{thing}: in the worklist")
        return True

    def _announce(self, *, tells_passwords: bool) -> None:
        say(f"\nPlaqueView is ready: {self._plan.url}\n")
        for line in credential_lines(self._plan, tells_passwords=tells_passwords):
            say("  " + line)
        say(f"  DICOM: PLAQUEVIEW at 127.0.0.1, port {self._plan.dicom_port}; logs: {self._plan.logs_dir}")
        say("  Ctrl-C ends it.\n")
        if self._plan.opens_browser and has_display():
            webbrowser.open(self._plan.url)


def credential_lines(plan: DemoPlan, *, tells_passwords: bool) -> list[str]:
    """What the user needs to sign in: the passwords once, later the place of the file that has them."""
    content: Mapping[str, object] = json.loads(plan.credentials.read_text(encoding="utf-8"))
    accounts = [account for account in content.values() if isinstance(account, dict) and "password" in account]
    if not accounts:
        return [f"{plan.credentials}: {CREDENTIALS_GONE}"]
    if not tells_passwords:
        return [f"Passwords and API tokens: {plan.credentials}"]
    lines = [f"{account['username']:<12} {account['password']}" for account in accounts]
    return [*lines, f"Shown once; kept with the API tokens in {plan.credentials}"]


async def wait_until_ready(plan: DemoPlan) -> None:
    """`/readyz` has answered 200. Raises: LauncherError when it does not in time, with what is not ready."""
    deadline = time.monotonic() + READY_TIMEOUT_S
    answer = ""
    while time.monotonic() < deadline:
        status, answer = await asyncio.to_thread(ask_readiness, plan.port)
        if status == HTTPStatus.OK:
            return
        await asyncio.sleep(READY_POLL_S)
    raise LauncherError(f"not ready within {READY_TIMEOUT_S:g} s: {missing_parts(answer)}; see {plan.logs_dir}")


def missing_parts(answer: str) -> str:
    """The checks that failed, in the words of `/readyz`; its whole answer when it is none of ours."""
    try:
        checks = json.loads(answer)["checks"]
        return "; ".join(f"{name}: {check['detail']}" for name, check in checks.items() if not check["is_ok"])
    except (ValueError, LookupError, TypeError):
        return answer


def ask_readiness(port: int) -> tuple[int, str]:
    """Status and body of `/readyz`; (0, why) while nobody answers."""
    connection = HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        connection.request("GET", "/readyz")
        response = connection.getresponse()
        return response.status, response.read().decode(errors="replace")
    except (OSError, HTTPException) as error:
        return 0, str(error)
    finally:
        connection.close()


def end_on_signals(demo: asyncio.Task[None]) -> None:
    """Ctrl-C, `kill` and a closed terminal end the demo in order; a second Ctrl-C changes nothing."""
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        loop.add_signal_handler(number, demo.cancel)


def has_display() -> bool:
    """A browser window can be shown here."""
    return sys.platform == "darwin" or any(name in os.environ for name in ("DISPLAY", "WAYLAND_DISPLAY"))


def say(line: str) -> None:
    """The user sees one more line at once."""
    print(line, flush=True)
