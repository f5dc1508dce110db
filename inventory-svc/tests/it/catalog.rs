//! The catalogue: brands, products, variants, locations.

mod attributes;
mod bounds;
mod contention;
mod lists;
mod product;
mod statements;

use holdfast_contracts::common::v1::Money;
use holdfast_contracts::inventory::v1 as pb;
use holdfast_contracts::inventory::v1::catalog_service_client::CatalogServiceClient;
use holdfast_contracts::inventory::v1::upsert_product_response::Outcome;
use holdfast_platform::client::{Wire, in_process};
use holdfast_platform::pg::{self, Connection, testing::fresh_database};
use inventory_svc::{Config, Service};
use tonic::Status;
use tonic::service::Routes;

/// A catalogue of its own, with one brand: `acme`.
struct Catalog {
    database_url: String,
    client: CatalogServiceClient<Wire>,
    _service: Service,
}

impl Catalog {
    async fn open() -> Self {
        let database_url = fresh_database().await;
        inventory_svc::migrate(&database_url).await.expect("the schema is made");
        let service = Service::start(Config::new(&database_url)).await.expect("the service starts");
        let mut routes = Routes::builder();
        service.add_to(&mut routes);
        let client = CatalogServiceClient::new(in_process(routes.routes()));
        let catalog = Self { database_url, client, _service: service };
        catalog.upsert_brand("acme", "Acme").await.expect("a brand is taken");
        catalog
    }

    async fn db(&self) -> Connection {
        pg::connect(&self.database_url).await.expect("the database answers")
    }

    /// A stub per call, so that calls may overlap.
    fn client(&self) -> CatalogServiceClient<Wire> {
        self.client.clone()
    }

    async fn upsert(&self, product: pb::Product) -> Result<(pb::Product, Outcome), Status> {
        let request = pb::UpsertProductRequest { product: Some(product) };
        let response = self.client().upsert_product(request).await?.into_inner();
        let outcome = response.outcome();
        Ok((response.product.expect("an upsert answers with the product"), outcome))
    }

    async fn get(&self, id: &str) -> Result<pb::Product, Status> {
        Ok(self.client().get_product(pb::GetProductRequest { id: id.to_owned() }).await?.into_inner())
    }

    async fn upsert_brand(&self, id: &str, display_name: &str) -> Result<pb::Brand, Status> {
        let brand = pb::Brand { id: id.to_owned(), display_name: display_name.to_owned() };
        Ok(self.client().upsert_brand(pb::UpsertBrandRequest { brand: Some(brand) }).await?.into_inner())
    }

    async fn upsert_location(&self, id: &str, priority: i32) -> Result<pb::Location, Status> {
        let location = pb::Location { id: id.to_owned(), display_name: id.to_uppercase(), priority };
        Ok(self.client().upsert_location(pb::UpsertLocationRequest { location: Some(location) }).await?.into_inner())
    }
}

/// A product of `acme` with these SKUs.
fn product(id: &str, skus: &[&str]) -> pb::Product {
    pb::Product {
        id: id.to_owned(),
        brand_id: "acme".to_owned(),
        title: "Hoodie".to_owned(),
        status: pb::product::Status::Active.into(),
        variants: skus.iter().map(|sku| variant(sku)).collect(),
        ..pb::Product::default()
    }
}

fn variant(sku: &str) -> pb::Variant {
    pb::Variant {
        sku: sku.to_owned(),
        options: [("Size".to_owned(), "M".to_owned())].into(),
        gtin: "4006381333931".to_owned(),
        price: Some(Money { currency_code: "EUR".to_owned(), amount_minor: 8_900 }),
        ..pb::Variant::default()
    }
}

/// Its SKUs, those on sale and those retired.
fn skus(product: &pb::Product) -> (Vec<&str>, Vec<&str>) {
    let of = |retired| product.variants.iter().filter(move |variant| variant.retired == retired);
    (of(false).map(|variant| variant.sku.as_str()).collect(), of(true).map(|variant| variant.sku.as_str()).collect())
}
