"""Names of the variants in the study of depth, of a full run and of a quick one."""

FULL = (
    "1x120",
    "1x120-margin",
    "1x120-deep",
    "1x240",
    "2x120-two",
    "2x120-all",
    "3x120-two",
    "3x120-all",
)

QUICK = tuple(name.replace("120", "32").replace("240", "64") for name in FULL)
