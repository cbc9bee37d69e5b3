"""`nbgrader autograde` by the engine: two preprocessors that a course's `nbgrader_config.py` names, as `ecert init` writes it.

`RestoreRelease` comes before nbgrader's own checks and reads the submission as `ecert grade` does; `GradeByVerdict` takes the place of
`Execute`, so no kernel starts and nothing of a trainee's runs outside the sandbox.
"""

from pathlib import Path
from typing import Any

from nbformat import NotebookNode, from_dict
from nbgrader.preprocessors import NbGraderPreprocessor

from autograder import submission
from autograder.errors import Finding
from autograder.gradebook import Gradebook, Marks, Template, fill
from autograder.submission import Submission
from autograder.verdict import SubmissionVerdict
from autograder.workspace import Workspace

Resources = dict[str, Any]


class Ungraded(Finding):
    """A fault of the grader: nbgrader logs it, leaves this submission ungraded and goes on with the next."""


class _OfCourse(NbGraderPreprocessor):  # type: ignore[misc]
    """What both need to know: the course, what was released, and what was handed in."""

    def read(self, resources: Resources) -> tuple[Workspace, Template, Submission]:
        about = resources["nbgrader"]
        # preprocessor → exporter → converter
        coursedir = self.parent.parent.coursedir
        workspace = Workspace.at(Path(coursedir.root))
        with Gradebook(about["db_url"]) as gradebook:
            template = gradebook.template(about["assignment"])
        handed_in = Path(coursedir.format_path(coursedir.submitted_directory, about["student"], about["assignment"]))
        return workspace, template, submission.read(handed_in / f"{about['notebook']}.ipynb", template.release)


class RestoreRelease(_OfCourse):
    """Reads the submission without trusting it, and puts back what is the release's."""

    def preprocess(self, nb: NotebookNode, resources: Resources) -> tuple[NotebookNode, Resources]:
        _, _, submitted = self.read(resources)
        return from_dict(submitted.book), resources  # type: ignore[no-untyped-call]


class GradeByVerdict(_OfCourse):
    """Writes the engine's verdicts into the graded cells, as nbgrader reads them."""

    def preprocess(self, nb: NotebookNode, resources: Resources) -> tuple[NotebookNode, Resources]:
        workspace, template, submitted = self.read(resources)
        verdict = self.verdict(workspace, template.topic, submitted)
        if verdict.points is None:
            # Without this a submission that was graded before would keep the scores of its former self.
            ungraded = Marks(dict.fromkeys(template.ids), dict.fromkeys(template.commented))
            with Gradebook(workspace.db_url) as gradebook:
                gradebook.write(template, {resources["nbgrader"]["student"]: ungraded})
            broken = ", ".join(f.function for f in verdict.functions if f.points is None)
            raise Ungraded(f"the grader failed on {broken}: left ungraded; `ecert report {template.topic}` says why")
        return from_dict(fill(template, submitted, verdict, workspace.lang)), resources  # type: ignore[no-untyped-call]

    def verdict(self, workspace: Workspace, topic: str, submitted: Submission) -> SubmissionVerdict:
        """From the journal, else by grading now."""
        from autograder import grading

        return grading.verdict_of(workspace, workspace.content.topic(topic), submitted)
