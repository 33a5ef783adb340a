"""Every write and read of training, by the module that does it; the worker and the floors above call these."""

from plaqueview.training.building import build_snapshot, tend_snapshots
from plaqueview.training.evaluations import (
    EvaluationClaim,
    EvaluationOrder,
    cancel_evaluation,
    claim_evaluation,
    complete_evaluation,
    fail_evaluation,
    order_of_evaluation,
    read_evaluations,
    renew_evaluation,
    request_evaluation,
    tend_evaluations,
)
from plaqueview.training.export import export_snapshot
from plaqueview.training.firings import fire, new_studies_of, tend_firings
from plaqueview.training.gate import Figures, Trial
from plaqueview.training.promotion import promote, roll_back
from plaqueview.training.run_endings import Learned, complete_run, fail_run, keep_best
from plaqueview.training.run_leases import (
    Order,
    OrderedStudy,
    Point,
    RunCancelledError,
    RunClaim,
    Standing,
    claim_run,
    end_log,
    order_of,
    renew_run,
    tend_runs,
)
from plaqueview.training.runs import (
    cancel_run,
    preflight,
    read_log,
    read_points,
    read_run,
    read_runs,
    read_sample_slice,
    read_samples,
    request_run,
)
from plaqueview.training.schedules import (
    Plan,
    change_schedule,
    create_schedule,
    plan_of,
    read_firings,
    read_schedule,
    read_schedules,
    remove_schedule,
)
from plaqueview.training.snapshots import compare_snapshots, read_snapshot, read_snapshots, request_snapshot
from plaqueview.training.verdicts import may_see_figures, read_verdict
from plaqueview.training.watching import Line, Resources, Sample
from plaqueview.training.withdrawal import obstacles_to_withdrawal, withdraw

__all__ = [
    "EvaluationClaim",
    "EvaluationOrder",
    "Figures",
    "Learned",
    "Line",
    "Order",
    "OrderedStudy",
    "Plan",
    "Point",
    "Resources",
    "RunCancelledError",
    "RunClaim",
    "Sample",
    "Standing",
    "Trial",
    "build_snapshot",
    "cancel_evaluation",
    "cancel_run",
    "change_schedule",
    "claim_evaluation",
    "claim_run",
    "compare_snapshots",
    "complete_evaluation",
    "complete_run",
    "create_schedule",
    "end_log",
    "export_snapshot",
    "fail_evaluation",
    "fail_run",
    "fire",
    "keep_best",
    "may_see_figures",
    "new_studies_of",
    "obstacles_to_withdrawal",
    "order_of",
    "order_of_evaluation",
    "plan_of",
    "preflight",
    "promote",
    "read_evaluations",
    "read_firings",
    "read_log",
    "read_points",
    "read_run",
    "read_runs",
    "read_sample_slice",
    "read_samples",
    "read_schedule",
    "read_schedules",
    "read_snapshot",
    "read_snapshots",
    "read_verdict",
    "remove_schedule",
    "renew_evaluation",
    "renew_run",
    "request_evaluation",
    "request_run",
    "request_snapshot",
    "roll_back",
    "tend",
    "withdraw",
]


def tend() -> None:
    """What dead workers left is taken up again, and schedules whose snapshot is ready go on."""
    tend_snapshots()
    tend_runs()
    tend_evaluations()
    tend_firings()
