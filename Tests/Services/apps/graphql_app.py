"""A GraphQL server that speaks graphql-transport-ws."""

import django
import strawberry
from django.conf import settings

settings.configure()
django.setup()

from strawberry.channels import GraphQLWSConsumer  # noqa: E402


@strawberry.type
class Query:
    name: str = "heartwire"


app = GraphQLWSConsumer.as_asgi(schema=strawberry.Schema(Query))
