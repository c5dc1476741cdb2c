"""A market of many processes on one machine: two web processes behind a balancer, two workers, an
indexer and one that stands by, over PostgreSQL and a cluster of Elasticsearch.

Each process has a folder of its own, so that what works here works on as many machines. What is not
given by ZHIHE_DATABASE_URL and ZHIHE_SEARCH_URL is started here as well.

python -m infra.cluster --folder data/cluster
"""
