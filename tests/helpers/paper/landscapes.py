"""A runner in this process, and a folder, for the figures of landscapes."""

from isingprop.paper.common.study_setup import Setup


class InProcess:
    """A runner without processes or files."""

    def run(self, jobs, images, description):
        assert description
        return [job.run(images) for job in jobs]


def setup_in(folder, *, num_seeds=2, seed=0):
    return Setup("digits", None, num_seeds, seed, True, folder)
