"""One tree of errors: what a person must mend. Poor patient data is a flag (flags.py), never an error.

LivermreError
├── InputError            the files given cannot be used
│   ├── NothingFound      no exam in what was given
│   ├── CorruptFile       a file is damaged or contradicts itself
│   ├── UnclearUnit       no rule says what unit the stiffness has
│   └── Contradiction     two readable things do not fit together
├── SettingsError         an option or argument is wrong
├── ModelError            the network weights are missing, altered or of another kind
└── OutputError           results cannot be written
"""


class LivermreError(Exception):
    """Base of all errors that livermre raises on purpose; its text is one sentence for a person."""


class InputError(LivermreError):
    """The files given cannot be used."""


class NothingFound(InputError):
    """No exam was found in what was given."""


class CorruptFile(InputError):
    """A file is damaged or contradicts itself."""


class UnclearUnit(InputError):
    """No rule says what unit the stiffness map has."""


class Contradiction(InputError):
    """Two readable things do not fit together (shapes, planes, masks)."""


class SettingsError(LivermreError):
    """An option or argument is wrong."""


class ModelError(LivermreError):
    """Network weights are missing, altered or of another kind."""


class OutputError(LivermreError):
    """Results cannot be written."""
