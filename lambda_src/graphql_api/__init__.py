"""A GraphQL API on AWS AppSync, whose schema and resolvers are checked before anything is deployed."""
