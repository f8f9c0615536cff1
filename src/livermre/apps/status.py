"""Exit statuses that scripts rely on.

Whatever can be seen to be wrong with the command before an exam is read is wrong usage: nothing was done, nothing was
written. From there on every exam has its own outcome, its error.json and its row in the summary.
"""

OK = 0  # every exam gave a finding
USAGE = 2  # wrong usage: an option, or a file that an option names
NOTHING = 3  # no exam gave a finding, or the machine does not allow one
SOME = 4  # some exams did not
INTERRUPTED = 130
