"""The AWS Serverless Application Repository on this machine: it runs in the emulator, and knows nothing else of it.

``protocol`` reads requests and writes answers by the service's published model, ``repository`` has the operations and
keeps applications, ``policy`` decides who sees them, ``artifacts`` copies what is in a publisher's bucket, and
``parameters`` describes those of a template. What they need of where they run is in ``surroundings``;
``lab/emulation/serverlessrepo.py`` gives them a place in MiniStack.
"""
