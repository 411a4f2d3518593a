"""Studies that reproduce the published figures and tables, one folder for each group of studies.

A study module, for example `zhang2025/fig4.py`, is built from five parts:

- study: `number_of_jobs(setup)` and `reproduce(setup, runner)`, which the command line calls;
- jobs: frozen dataclasses with a method `run(images)`; `common.jobs.Runner` runs them in parallel;
- findings: sentences derived from the numbers, never written by hand for one result;
- report: the Markdown page made of a table, the findings and the choices behind the numbers;
- plot: functions that return a matplotlib figure, which `common.study_setup.Setup` saves.
"""
