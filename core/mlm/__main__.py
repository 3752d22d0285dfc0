"""`python -m mlm`"""

from mlm.cli.main import main

main()
