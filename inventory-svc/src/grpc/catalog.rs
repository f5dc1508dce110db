//! `CatalogService`: what the shop sells and where it keeps it.

use std::future::Future;

use holdfast_contracts::inventory::v1 as pb;
use holdfast_contracts::inventory::v1::catalog_service_server::CatalogService;
use holdfast_platform::deadline::Deadline;
use holdfast_platform::pg::Pool;
use holdfast_platform::status::Refusal;
use tonic::{Request, Response, Status};

use super::status::deadline_exceeded;
use super::{brand, location, product, variant};

/// The service over a database that has its schema.
#[derive(Debug, Clone)]
pub(crate) struct Catalog {
    pool: Pool,
}

impl Catalog {
    pub(crate) fn new(pool: Pool) -> Self {
        Self { pool }
    }
}

/// Answers within the caller's deadline.
async fn answer<M, A, F>(request: Request<M>, call: impl FnOnce(M) -> F) -> Result<Response<A>, Status>
where
    F: Future<Output = Result<A, Refusal>>,
{
    let deadline = Deadline::of(&request);
    match tokio::time::timeout_at(deadline.instant(), call(request.into_inner())).await {
        Ok(answer) => Ok(Response::new(answer?)),
        Err(_) => Err(deadline_exceeded().into()),
    }
}

#[tonic::async_trait]
impl CatalogService for Catalog {
    async fn list_products(
        &self,
        request: Request<pb::ListProductsRequest>,
    ) -> Result<Response<pb::ListProductsResponse>, Status> {
        answer(request, |message| product::list(&self.pool, message)).await
    }

    async fn get_product(&self, request: Request<pb::GetProductRequest>) -> Result<Response<pb::Product>, Status> {
        answer(request, |message| product::get(&self.pool, message)).await
    }

    async fn upsert_product(
        &self,
        request: Request<pb::UpsertProductRequest>,
    ) -> Result<Response<pb::UpsertProductResponse>, Status> {
        answer(request, |message| product::upsert(&self.pool, message)).await
    }

    async fn batch_get_variants(
        &self,
        request: Request<pb::BatchGetVariantsRequest>,
    ) -> Result<Response<pb::BatchGetVariantsResponse>, Status> {
        answer(request, |message| variant::batch_get(&self.pool, message)).await
    }

    async fn list_brands(
        &self,
        request: Request<pb::ListBrandsRequest>,
    ) -> Result<Response<pb::ListBrandsResponse>, Status> {
        answer(request, |message| brand::list(&self.pool, message)).await
    }

    async fn upsert_brand(&self, request: Request<pb::UpsertBrandRequest>) -> Result<Response<pb::Brand>, Status> {
        answer(request, |message| brand::upsert(&self.pool, message)).await
    }

    async fn list_locations(
        &self,
        request: Request<pb::ListLocationsRequest>,
    ) -> Result<Response<pb::ListLocationsResponse>, Status> {
        answer(request, |message| location::list(&self.pool, message)).await
    }

    async fn upsert_location(
        &self,
        request: Request<pb::UpsertLocationRequest>,
    ) -> Result<Response<pb::Location>, Status> {
        answer(request, |message| location::upsert(&self.pool, message)).await
    }
}
