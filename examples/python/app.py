from aws_cdk import App
from cdk_superset_tenancy import EnvironmentFile, SharedRlsStack

app = App()
SharedRlsStack(app, "Superset", environment=EnvironmentFile.load("../shared-rls/environments/demo.yaml"))
app.synth()
