"""The AWS Serverless Application Repository on this machine: it runs in the emulator, and knows nothing else of it.

``protocol`` reads requests and writes answers by the service's published model, ``repository`` keeps applications and
decides who sees them, and ``lab/emulation/serverlessrepo.py`` gives both a place in MiniStack.
"""
