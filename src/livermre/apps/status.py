"""Exit statuses that scripts rely on."""

OK = 0  # every exam gave a finding
USAGE = 2  # wrong usage
NOTHING = 3  # no exam gave a finding
SOME = 4  # some exams did not
INTERRUPTED = 130
