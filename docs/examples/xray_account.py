"""An account whose traces are encrypted with its own key, and can all be searched."""

from aws_cdk import App, Stack

from lambda_src.posture import Posture
from lambda_src.xray_account.construct import XrayAccount

app = App()
XrayAccount(Stack(app, "Account"), "Traces", indexing_percentage=5, posture=Posture.PRODUCTION)
app.synth()
