from aws_cdk import App, Validations
from cdk_superset_tenancy import EnvironmentFile, SharedRlsStack, TenancyChecks

app = App()
SharedRlsStack(app, "Superset", environment=EnvironmentFile.load("../shared-rls/environments/demo.yaml"))
Validations.of(app).add_plugins(TenancyChecks())
app.synth()
