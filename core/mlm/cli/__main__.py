"""`python -m mlm.cli`"""

from mlm.cli.main import main

main()
