"""Does what is installed work: environment checks, doctor, new environment package."""
