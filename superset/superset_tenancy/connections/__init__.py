"""Connections to tenants' data: logins, pools, proxies."""
